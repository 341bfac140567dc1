#pragma once
/// A host for one real shepherd: starts the program with a socket pair and speaks the treaty with it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "engine/os/memfd.hpp"
#include "engine/os/pipe.hpp"
#include "engine/os/unix_socket.hpp"
#include "engine/wire/channel.hpp"
#include "engine/wire/spawn_body.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/scale.hpp"

namespace netrunner::testing {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

inline double ms_since(Clock::time_point from) {
  return std::chrono::duration<double, std::milli>(Clock::now() - from).count();
}

template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = 5s) {
  const auto until = Clock::now() + tests::patience(limit);
  while (!condition()) {
    if (Clock::now() > until) return condition();
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();  // Throws nothing where the read fails, as one of /proc may.
  return text.str();
}

/// State letter of a process; 0: there is none.
inline char state_of(pid_t pid) {
  const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto end = stat.rfind(')');
  return end == std::string::npos ? '\0' : stat[end + 2];
}
inline bool is_gone(pid_t pid) { return state_of(pid) == 0; }

/// A directory of its own that goes with the test.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/nr_shepherd_XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0755) const {
    std::ofstream(path(name)) << text;
    ::chmod(path(name).c_str(), mode);
    return path(name);
  }

 private:
  std::string path_;
};

struct FailedStart {
  wire::StartFailedFixed fixed;
  std::string path, head;
  [[nodiscard]] Stage stage() const { return static_cast<Stage>(fixed.stage); }
};

/// What the shepherd has said of one slot.
struct Told {
  std::optional<wire::StartedFixed> started;
  os::UniqueFd pidfd;
  std::optional<FailedStart> failed;
  std::optional<wire::ExitedFixed> exited;
  std::optional<wire::SettledFixed> settled;
  std::vector<wire::SignalSentFixed> signals;
};

struct HostOptions {
  std::string way = {};  ///< How exec is awaited: futex (the default), pipe or vfork.
  std::function<void()> before_exec;  ///< In the shepherd-to-be.
};

class Host {
 public:
  explicit Host(HostOptions options = {}) {
    ring_ = std::move(*ring::Ring::open({256, 4096}));
    auto pair = os::make_socket_pair();
    start(options, pair->theirs.get());
    pair->theirs.reset();
    channel_ = std::make_unique<wire::Channel>(
        *ring_, std::move(pair->ours),
        wire::Channel::Handler{this,
                               [](void* self, const wire::Message& message, std::span<os::UniqueFd> descriptors) {
                                 static_cast<Host*>(self)->on_message(message, descriptors);
                               },
                               [](void* self, int) { static_cast<Host*>(self)->closed_ = true; }});
    channel_->arm();
    EXPECT_TRUE(wait_for([&] { return ready.has_value(); })) << "the shepherd did not get ready";
  }
  ~Host() {
    hang_up();
    if (pid_ > 0 && !eventually([&] { return reaped(); }, 15s)) {
      ADD_FAILURE() << "the shepherd lives on";
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  /// Closes the socket: for the shepherd the host is dead.
  void hang_up() {
    if (channel_ == nullptr) return;
    channel_->close();
    while (!channel_->idle()) ring_->turn(deadline(10ms));
    channel_.reset();
  }
  [[nodiscard]] bool reaped() {
    if (exit_status) return true;
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    exit_status = status;
    return true;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool closed() const { return closed_; }

  bool wait_for(const std::function<bool()>& condition, std::chrono::milliseconds limit = 10s) {
    return turn_until(condition, Clock::now() + tests::patience(limit));
  }
  bool turn_until(const std::function<bool()>& condition, Clock::time_point until) {
    while (!condition()) {
      if (Clock::now() > until) return false;
      if (channel_ == nullptr) return false;
      channel_->flush();
      ring_->turn(deadline(5ms));
    }
    return true;
  }
  void rest(std::chrono::milliseconds time) {
    (void)turn_until([] { return false; }, Clock::now() + time);
  }

  /// What every command gets that says nothing else: null descriptors, SIGKILL as its ladder.
  static wire::SpawnRequest request(std::string program) {
    wire::SpawnRequest request;
    request.program = std::move(program);
    if (request.program.find('/') == std::string::npos) request.flags |= wire::search_path;
    for (int number = 0; number < 3; ++number) request.actions.push_back({number, wire::ActionKind::null, 0, {}, 0, 0});
    request.rungs = {{SIGKILL, static_cast<std::uint32_t>(wire::WireTarget::everything), 0}};
    return request;
  }

  using Strings = std::vector<std::string>;
  std::uint32_t spawn(wire::SpawnRequest request, const Strings& argv,
                      const Strings& environment = {"PATH=/usr/bin:/bin"},
                      std::vector<os::UniqueFd> descriptors = {}) {
    request.arguments.assign(argv.begin(), argv.end());
    request.environment.assign(environment.begin(), environment.end());
    const std::uint32_t slot = next_slot_++;
    auto body = wire::SpawnBody::build({slot, 7}, request);
    EXPECT_TRUE(body.fits_treaty());
    if (body.fits_inline()) {
      channel_->post(wire::MessageType::spawn, body.fixed, body.bytes, descriptors);
    } else {
      descriptors.insert(descriptors.begin(), std::move(*os::sealed_memfd("body", body.bytes, os::MemfdUse::data)));
      channel_->post(wire::MessageType::spawn, body.fixed, {}, descriptors);
    }
    return slot;
  }
  std::uint32_t shell(const std::string& script, std::vector<wire::WireRung> rungs = {}) {
    auto wanted = request("/bin/sh");
    if (!rungs.empty()) wanted.rungs = std::move(rungs);
    return spawn(std::move(wanted), {"sh", "-c", script});
  }
  /// With stdout in a pipe; output() reads it.
  std::uint32_t shell_with_output(const std::string& script) {
    return with_output(request("/bin/sh"), {"sh", "-c", script});
  }
  std::uint32_t with_output(wire::SpawnRequest wanted, const Strings& argv,
                            const Strings& environment = {"PATH=/usr/bin:/bin"}) {
    auto pipe = os::make_pipe(os::OurEnd::none);
    wanted.actions[1].kind = wire::ActionKind::attached;
    std::vector<os::UniqueFd> descriptors;
    descriptors.push_back(std::move(pipe->write_end));
    const auto slot = spawn(std::move(wanted), argv, environment, std::move(descriptors));
    outputs_[slot] = std::move(pipe->read_end);
    return slot;
  }
  /// Until end of file.
  std::string output(std::uint32_t slot, std::chrono::milliseconds limit = 10s) {
    std::string text;
    const int fd = outputs_[slot].get();
    bool ended = false;
    EXPECT_TRUE(wait_for([&] { return ended || read_some(fd, text, ended); }, limit)) << "no end of output";
    return text;
  }
  /// One line of a command that lives on.
  std::string line(std::uint32_t slot) {
    std::string text;
    bool ended = false;
    (void)wait_for([&] { return read_some(outputs_[slot].get(), text, ended) || text.ends_with('\n'); });
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  bool ended(std::uint32_t slot, std::chrono::milliseconds limit = 10s) {
    return wait_for([&] { return told[slot].exited || told[slot].failed; }, limit);
  }
  bool started(std::uint32_t slot, std::chrono::milliseconds limit = 10s) {
    return wait_for([&] { return told[slot].started || told[slot].failed; }, limit) && told[slot].started;
  }
  pid_t pid_of(std::uint32_t slot) { return started(slot) ? told[slot].started->pid : -1; }

  void signal(std::uint32_t slot, int number, wire::WireTarget target, std::uint32_t request = 1) {
    channel_->post(wire::MessageType::signal,
                   wire::SignalFixed{{slot, 7}, request, number, static_cast<std::uint32_t>(target), 0});
  }
  void stop(std::uint32_t slot, const std::vector<wire::WireRung>& rungs) {
    channel_->post(wire::MessageType::stop, wire::StopFixed{{slot, 7}, static_cast<std::uint32_t>(rungs.size()), 0},
                   std::as_bytes(std::span(rungs)));
  }
  void settle(std::uint32_t slot, wire::SettlePolicy policy) {
    channel_->post(wire::MessageType::settle, wire::SettleFixed{{slot, 7}, policy, 0});
  }
  bool settled(std::uint32_t slot) {
    return wait_for([&] { return told[slot].settled.has_value(); }, 15s);
  }
  wire::Channel& channel() { return *channel_; }
  void flush() { channel_->flush(), ring_->turn(0); }

  std::optional<wire::ReadyFixed> ready;
  std::map<std::uint32_t, Told> told;
  std::vector<std::uint64_t> pongs;
  bool left_nobody = false;  ///< Its last word.
  std::optional<int> exit_status;
  std::uint64_t messages = 0;

 private:
  static std::int64_t deadline(std::chrono::milliseconds after) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>((Clock::now() + after).time_since_epoch()).count();
  }
  static bool read_some(int fd, std::string& text, bool& ended) {
    pollfd polled{fd, POLLIN, 0};
    while (::poll(&polled, 1, 0) > 0) {
      char bytes[4096];
      const ssize_t count = ::read(fd, bytes, sizeof bytes);
      if (count <= 0) return ended = true;
      text.append(bytes, static_cast<std::size_t>(count));
    }
    return false;
  }
  void start(const HostOptions& options, int treaty) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setsid();
    const int null = ::open("/dev/null", O_RDWR);
    for (const int number : {0, 1}) ::dup2(null, number);  // stderr stays: an assertion of the shepherd is seen.
    const int high = ::fcntl(treaty, F_DUPFD, 100);
    ::dup2(high, 3);
    if (options.before_exec) options.before_exec();
    char name[] = "netrunner-shepherd";
    std::string way = "NETRUNNER_SPAWN_PATH=" + options.way;
    char* const argv[] = {name, nullptr};
    char* const environment[] = {options.way.empty() ? nullptr : way.data(), nullptr};
    ::execve(tests::shepherd_path(), argv, environment);
    ::_exit(99);
  }
  void on_message(const wire::Message& message, std::span<os::UniqueFd> descriptors) {
    ++messages;
    switch (message.type) {
      case wire::MessageType::ready: ready = message.as<wire::ReadyFixed>(); break;
      case wire::MessageType::started: {
        const auto fixed = message.as<wire::StartedFixed>();
        told[fixed.id.slot].started = fixed;
        if (!descriptors.empty()) told[fixed.id.slot].pidfd = std::move(descriptors[0]);
        break;
      }
      case wire::MessageType::start_failed: {
        const auto fixed = message.as<wire::StartFailedFixed>();
        const auto* text = reinterpret_cast<const char*>(message.body.data());
        told[fixed.id.slot].failed =
            FailedStart{fixed, {text, fixed.path_bytes}, {text + fixed.path_bytes, fixed.head_bytes}};
        break;
      }
      case wire::MessageType::exited: {
        const auto fixed = message.as<wire::ExitedFixed>();
        told[fixed.id.slot].exited = fixed;
        break;
      }
      case wire::MessageType::signal_sent: {
        const auto fixed = message.as<wire::SignalSentFixed>();
        told[fixed.id.slot].signals.push_back(fixed);
        break;
      }
      case wire::MessageType::settled: {
        const auto fixed = message.as<wire::SettledFixed>();
        told[fixed.id.slot].settled = fixed;
        break;
      }
      case wire::MessageType::gone: left_nobody = true; break;
      case wire::MessageType::pong: pongs.push_back(message.as<wire::PingFixed>().cookie); break;
      default: ADD_FAILURE() << "a message of the host's kind"; break;
    }
  }

  std::unique_ptr<ring::Ring> ring_;
  std::unique_ptr<wire::Channel> channel_;
  pid_t pid_ = -1;
  bool closed_ = false;
  std::uint32_t next_slot_ = 0;
  std::map<std::uint32_t, os::UniqueFd> outputs_;
};

inline wire::WireRung rung(int signal, wire::WireTarget target, std::chrono::milliseconds pause) {
  return {signal, static_cast<std::uint32_t>(target), std::chrono::nanoseconds(pause).count()};
}

}  // namespace netrunner::testing
