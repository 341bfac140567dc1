#include "tools/netrunner/death_host.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <thread>
#include <unistd.h>
#include <utility>

#include <netrunner/blocking.hpp>
#include <netrunner/engine.hpp>

#include "tools/netrunner/death_cell.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/stress_fault.hpp"
#include "tools/netrunner/stress_roll.hpp"

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

constexpr int cannot = 70;

struct Request {
  Containment level = Containment::automatic;
  DeathColumn column = DeathColumn::plain;
  std::uint32_t commands = 0, shards = 1;
  std::string roll_path, id, cgroup;
};

void say(const std::string& line) { (void)write_all(STDOUT_FILENO, line + "\n"); }

/// `kind`: "error", what was asked for isn't to be had here; "failed", something went wrong.
int refuse(const std::string& kind, const std::string& why) {
  std::string line = kind + " " + why;
  std::ranges::replace(line, '\n', ' ');
  say(line);
  return cannot;
}

Command command_of(const Request& request, std::uint32_t number) {
  std::vector<std::string> arguments;
  std::string name(death_column_names[static_cast<std::size_t>(request.column)]);
  switch (request.column) {
    case DeathColumn::plain: name = "sleep"; break;
    case DeathColumn::starting: name = "sleep"; break;
    case DeathColumn::escapee: arguments = {"deaf"}; break;
    case DeathColumn::bare:
      name = "escapee";
      arguments = {"deaf", "bare"};
      break;
    // Thousands of process numbers a second: more would use up all that there are where init reaps slowly.
    case DeathColumn::hopper:
      arguments = {number == 0 ? "50" : "1000", number % 2 == 0 ? "settled" : "restless"};
      break;
    case DeathColumn::bomb: arguments = {"4"}; break;
    case DeathColumn::deaf:
    case DeathColumn::stopped: break;
  }
  const bool heard = request.column != DeathColumn::starting;
  return fault_command(request.roll_path, request.id, name, std::move(arguments))
      .ladder({{SIGTERM, Target::group, death_grace}})
      .out(heard ? Stdio::pipe() : Stdio::null());
}

/// Owner of the engine and of its commands until it dies.
class DeathHost {
 public:
  DeathHost(const Request& request, Engine engine) : request_(request), engine_(std::move(engine)) {}

  [[nodiscard]] int run() {
    if (request_.column != DeathColumn::starting && !start_all()) return cannot;
    for (const ShardStats& shard : blocking::get(engine_.stats()).shards) {
      say("shepherd " + std::to_string(shard.shepherd_pid));
    }
    say("ready");
    for (std::string order; std::getline(std::cin, order);) obey(order);
    return 0;
  }

 private:
  [[nodiscard]] bool start_all() {
    for (std::uint32_t n = 0; n < request_.commands; ++n) {
      Result<Process> process = blocking::spawn(engine_, command_of(request_, n));
      if (!process) return refuse("failed", process.error().message()) == 0;
      owned_.push_back(*std::move(process));
    }
    for (Process& process : owned_) {
      const Result<std::optional<Chunk>> said = blocking::read(process, Stream::out, Deadline::after(30s));
      if (!said || !*said) return refuse("failed", "a command is not ready") == 0;
    }
    return true;
  }

  /// More starts than can be done before the death comes.
  void go() {
    const std::uint32_t starts = request_.commands * 10;
    {
      const std::lock_guard guard(mutex_);
      starting_ = starts;
    }
    for (std::uint32_t n = 0; n < starts; ++n) start_detached(start_one(command_of(request_, n)));
  }

  Task<void> start_one(Command command) {
    Result<Process> process = co_await engine_.spawn(command);
    const std::lock_guard guard(mutex_);
    if (process && !dropping_) owned_.push_back(*std::move(process));
    if (--starting_ == 0) none_starts_.notify_all();
  }

  /// Those that are on their way are dropped as they come; then nothing of them may be left.
  void drop_all() {
    (void)take_all();
    std::unique_lock lock(mutex_);
    none_starts_.wait(lock, [this] { return starting_ == 0; });
  }

  [[nodiscard]] std::vector<Process> take_all() {
    const std::lock_guard guard(mutex_);
    dropping_ = true;
    return std::exchange(owned_, {});
  }

  void obey(const std::string& order) {
    if (order == "go") return go();
    if (order == "drop") drop_all();
    if (order == "throw") die_by_exception();
    if (order == "close") (void)engine_.close();
    if (order == "exit") ::_exit(0);
    if (order == "segv") (void)std::raise(SIGSEGV);
    if (order.starts_with("oom ")) eat(order.substr(4));
    say("done");
  }

  /// The thread that owns the handles ends by an exception, which is caught where futures and pools catch it.
  void die_by_exception() {
    std::thread([this] {
      try {
        const std::vector<Process> mine = take_all();
        throw std::runtime_error("the owner fails");
      } catch (const std::exception&) {
      }
    }).join();
  }

  /// Only this process moves into the group: its shepherd and commands stay where they are.
  static void eat(const std::string& group) {
    constexpr std::size_t piece = 1 << 20, most = 512;
    std::ofstream(group + "/cgroup.procs") << 0 << std::flush;
    std::vector<std::vector<char>> eaten;
    for (std::size_t n = 0; n < most; ++n) eaten.emplace_back(piece, 'x');
  }

  const Request& request_;
  Engine engine_;
  std::mutex mutex_;  // Guards the others.
  std::condition_variable none_starts_;
  std::uint32_t starting_ = 0;
  bool dropping_ = false;
  std::vector<Process> owned_;
};

}  // namespace

int run_death_host(const std::vector<std::string>& words) {
  if (words.size() < 6) return cannot;
  Request request;
  const auto column = std::ranges::find(death_column_names, std::string_view(words[1]));
  if (!into(request.level)(words[0]) || column == death_column_names.end()) return cannot;
  request.column = static_cast<DeathColumn>(column - death_column_names.begin());
  request.commands = static_cast<std::uint32_t>(std::strtoul(words[2].c_str(), nullptr, 10));
  request.shards = static_cast<std::uint32_t>(std::strtoul(words[3].c_str(), nullptr, 10));
  request.roll_path = words[4];
  request.id = words[5];
  if (words.size() > 6) std::ofstream(words[6] + "/cgroup.procs") << 0 << std::flush;
  EngineOptions options;
  options.shards = request.shards;
  options.containment = request.level;
  Result<Engine> engine = Engine::open(options);
  if (!engine) return refuse("error", engine.error().message());
  const ShardStats shard = blocking::get(engine->stats()).shards.front();
  if (shard.containment != request.level) {
    return refuse("error", "it gave " + std::string(name_of(shard.containment)) + " only: " + shard.containment_note);
  }
  return DeathHost(request, *std::move(engine)).run();
}

}  // namespace netrunner::tool
