#include "tools/netrunner/death_cell.hpp"

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tools/netrunner/death_group.hpp"
#include "tools/netrunner/death_process.hpp"
#include "tools/netrunner/stress_roll.hpp"

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

constexpr auto death_of_the_killed_max = std::chrono::seconds(5);
constexpr auto host_death_max = std::chrono::seconds(20);
constexpr auto acquaintance = std::chrono::milliseconds(100);
constexpr auto still_none_for = std::chrono::milliseconds(100);  // None now and none a little later.

std::vector<std::string> arguments_of(const DeathCell& cell, const DeathPlace& place, const RollCall& roll,
                                      std::uint32_t commands) {
  std::vector<std::string> arguments = {option_name(cell.level),
                                        std::string(death_column_names[static_cast<std::size_t>(cell.column)]),
                                        std::to_string(commands),
                                        std::to_string(place.shards),
                                        roll.path(),
                                        roll.id()};
  if (!place.cgroup.empty()) arguments.push_back(place.cgroup);
  return arguments;
}

/// A few are enough to see what kind of fault it is.
std::string first_of(std::vector<ProcEntry> survivors) {
  survivors.resize(std::min<std::size_t>(survivors.size(), 3));
  std::string text;
  for (const ProcEntry& entry : survivors) {
    text += (text.empty() ? "" : ", ") + to_string({entry}) + (is_being_killed(entry.pid) ? " being killed" : "");
  }
  return text;
}

/// One cell while it runs.
class Death {
 public:
  Death(DeathCell& cell, DeathPlace place, std::mt19937_64& random, RollCall& roll)
      : cell_(cell), place_(std::move(place)), random_(random), roll_(roll),
        host_(arguments_of(cell, place_, roll, place_.commands)) {}

  void run() {
    if (!host_.wait_ready()) {
      cell_.not_run = host_.refused();
      cell_.went_wrong = host_.failure();
      return;
    }
    wait_for_shepherds();
    if (cell_.column == DeathColumn::starting) {
      host_.order("go");
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % 20'000));
    }
    die();
    if (!cell_.not_run.empty() || !cell_.went_wrong.empty()) return;
    const std::int64_t died_ns = Deadline::now_ns();
    const bool silent = cell_.row == DeathRow::shepherd_sigstop;
    const Nanoseconds patience = death_grace + place_.wait;
    wait_for_none(Deadline::after(silent ? death_silence_max + patience : patience));
    if (all_are_being_killed()) wait_for_none(Deadline::after(death_of_the_killed_max));
    cell_.seconds = static_cast<double>(Deadline::now_ns() - died_ns) / 1e9;
    count();
    if (cell_.row == DeathRow::all_at_once && cell_.level == Containment::cgroup) sweep();
  }

  /// Whatever the containment left, this takes away, so that the next cell finds a clean machine.
  void clean_up() {
    roll_.dismiss();
    host_.kill(SIGKILL);
    (void)host_.wait_dead(host_death_max);
    for (const pid_t shepherd : shepherds_) signal_shepherd(shepherd, SIGKILL);
    for (int i = 0; i < 100 && roll_.anyone_holds(); ++i) {
      for (const ProcEntry& left : roll_.survivors()) (void)::kill(left.pid, SIGKILL);
      std::this_thread::sleep_for(5ms);
    }
    // Thousands of them use up the process numbers.
    for (int i = 0; i < 500 && roll_.zombies_of_init() > 2000; ++i) std::this_thread::sleep_for(20ms);
  }

 private:
  /// The spare of an engine with one shard comes a moment after the first; until it knows the other, that one is all.
  void wait_for_shepherds() {
    for (int i = 0; i < 100 && shepherds_.size() < 2; ++i) {
      shepherds_ = host_.all_shepherds();
      std::this_thread::sleep_for(20ms);
    }
    std::this_thread::sleep_for(acquaintance);
  }

  void die() {
    switch (cell_.row) {
      case DeathRow::handle_dropped: return outlive("drop");
      case DeathRow::thread_throws: return outlive("throw");
      case DeathRow::engine_closed: return outlive("close");
      case DeathRow::host_exits: return end_host("exit");
      case DeathRow::host_sigsegv: return end_host("segv");
      case DeathRow::host_sigkill:
        host_.kill(SIGKILL);
        return end_host("");
      case DeathRow::host_oom: return starve();
      case DeathRow::shepherd_sigkill: return lose_shepherds(SIGKILL);
      case DeathRow::shepherd_sigstop: return lose_shepherds(SIGSTOP);
      case DeathRow::host_and_shepherd:
        signal_shepherd(host_.working_shepherds().front(), SIGKILL);
        host_.kill(SIGKILL);
        return end_host("");
      case DeathRow::one_by_one: return one_by_one();
      case DeathRow::all_at_once: return all_at_once();
    }
  }

  void outlive(const std::string& order) {
    host_.order(order);
    if (!host_.wait_done()) cell_.went_wrong = "the host did not outlive the order to " + order;
  }

  void end_host(const std::string& order) {
    if (!order.empty()) host_.order(order);
    if (!host_.wait_dead(host_death_max)) cell_.went_wrong = "the host does not die";
  }

  void starve() {
    const MemoryGroup memory(roll_.id());
    if (memory.path().empty()) {
      cell_.not_run = "no memory cgroup can be made here";
      return;
    }
    host_.order("oom " + memory.path());
    end_host("");
  }

  void lose_shepherds(int signal) {
    for (const pid_t shepherd : host_.working_shepherds()) signal_shepherd(shepherd, signal);
    // The host lives and starts more on a new shepherd; those it has to drop.
    if (cell_.column == DeathColumn::starting) outlive("drop");
  }

  void one_by_one() {
    std::vector<pid_t> victims = shepherds_;
    victims.push_back(host_.pid());
    std::ranges::shuffle(victims, random_);
    const pid_t host = host_.pid();
    while (!victims.empty()) {
      const pid_t victim = victims.back();
      victims.pop_back();
      if (victim == host) {
        // A host that still lives may have replaced those that are dead.
        for (const pid_t shepherd : host_.all_shepherds()) {
          if (std::ranges::find(shepherds_, shepherd) == shepherds_.end()) victims.insert(victims.begin(), shepherd);
        }
        host_.kill(SIGKILL);
        (void)host_.wait_dead(host_death_max);
      } else {
        signal_shepherd(victim, SIGKILL);
      }
      std::this_thread::sleep_for(place_.gap);
    }
  }

  void all_at_once() {
    host_.kill(SIGSTOP);
    wait_stopped(host_.pid());
    shepherds_ = host_.all_shepherds();
    for (const pid_t shepherd : shepherds_) signal_shepherd(shepherd, SIGSTOP);
    for (const pid_t shepherd : shepherds_) wait_stopped(shepherd);
    host_.kill(SIGKILL);
    for (const pid_t shepherd : shepherds_) signal_shepherd(shepherd, SIGKILL);
    end_host("");
  }

  static void wait_stopped(pid_t pid) {
    for (int i = 0; i < 200; ++i) {
      const auto entry = proc_entry(pid);
      if (!entry || entry->state == 'T') return;
      std::this_thread::sleep_for(1ms);
    }
  }

  [[nodiscard]] bool none() const {
    return !roll_.anyone_holds() && roll_.survivors().empty() && roll_.zombies().empty();
  }

  /// SIGKILL is on its way to each that is left, and none of them runs a line of its own any more: how long it takes
  /// the kernel to bury them is the machine's load, not ours.
  [[nodiscard]] bool all_are_being_killed() const {
    const std::vector<ProcEntry> survivors = roll_.survivors();
    const auto killed = [](const ProcEntry& entry) { return is_being_killed(entry.pid); };
    return !survivors.empty() && std::ranges::all_of(survivors, killed);
  }

  void wait_for_none(Deadline deadline) const {
    while (Deadline::now_ns() < deadline.monotonic_ns()) {
      std::this_thread::sleep_for(20ms);
      if (!none()) continue;
      std::this_thread::sleep_for(still_none_for);
      if (none()) return;
    }
  }

  void count() {
    const std::vector<ProcEntry> survivors = roll_.survivors();
    cell_.escaped = static_cast<std::size_t>(std::ranges::count_if(survivors, [](const ProcEntry& entry) {
      return entry.name.starts_with(RollCall::escapee_prefix);
    }));
    cell_.direct = survivors.size() - cell_.escaped;
    cell_.left = first_of(survivors);
    // One that forks and exits between two looks is seen by its lock alone.
    if (survivors.empty() && roll_.anyone_holds()) cell_.escaped = 1;
    cell_.zombies = roll_.zombies().size();
    cell_.left_to_init = roll_.zombies_of_init();
  }

  /// The next start, in the same place.
  void sweep() {
    DeathProcess next(arguments_of(cell_, place_, roll_, 0));
    (void)next.wait_ready();
    wait_for_none(Deadline::after(place_.wait));
    cell_.after_sweep = std::max<std::size_t>(roll_.survivors().size(), roll_.anyone_holds() ? 1 : 0);
  }

  DeathCell& cell_;
  const DeathPlace place_;
  std::mt19937_64& random_;
  RollCall& roll_;
  DeathProcess host_;
  std::vector<pid_t> shepherds_;
};

}  // namespace

void run_cell(DeathCell& cell, const DeathPlace& place, std::mt19937_64& random) {
  auto roll = RollCall::open(place.id);
  if (!roll) {
    cell.went_wrong = roll.error();
    return;
  }
  const DeathGroup group(place.id);
  DeathPlace inside = place;
  inside.cgroup = group.path();
  Death death(cell, std::move(inside), random, *roll);
  death.run();
  death.clean_up();
}

std::string option_name(Containment level) {
  if (level == Containment::automatic) return "auto";
  std::string name(name_of(level));
  std::ranges::replace(name, '_', '-');
  return name;
}

}  // namespace netrunner::tool
