#pragma once
/// The storm: many random commands at once, and what is found when it is over.

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <netrunner/engine.hpp>
#include <netrunner/task.hpp>

#include "tools/netrunner/stress_clock.hpp"
#include "tools/netrunner/stress_plan.hpp"
#include "tools/netrunner/stress_roll.hpp"

namespace netrunner::tool {

struct StormOptions {
  std::uint64_t seed = 1;
  Nanoseconds duration = std::chrono::seconds(10);
  std::uint32_t jobs = 32;
  Containment containment = Containment::automatic;
};

struct StormReport {
  std::uint64_t seed = 0;
  double seconds = 0;
  Containment containment = Containment::process_group;
  std::uint64_t commands = 0, refused = 0, dropped = 0, detached = 0, bytes = 0;
  std::uint64_t shepherds_killed = 0, shepherds_hung = 0;
  std::array<std::uint64_t, stress_kind_names.size()> by_kind{};
  std::array<std::uint64_t, 8> by_reason{};   ///< Indexed by EndReason.
  std::uint64_t faults = 0;                   ///< Found in all...
  std::vector<std::string> complaints;        ///< ...and the first of them.
  [[nodiscard]] bool passed() const noexcept { return faults == 0; }
};

/// Owner: stress_command. The commands' coroutines run in the threads of the shards and of the clock.
class Storm {
 public:
  Storm(const StormOptions& options, RollCall& roll) : options_(options), roll_(roll) {}
  /// Blocks until it is over and everything was looked at.
  [[nodiscard]] Result<StormReport> run();

 private:
  [[nodiscard]] Result<Engine> open();
  void blow(Engine& engine);
  Task<void> run_slot(Engine& engine, std::uint32_t slot);
  Task<void> run_one(Engine& engine, const StressPlan& plan);
  Task<void> follow(Process& process, const StressPlan& plan, StressOutcome& outcome);
  Task<void> collect(Process& process, Stream stream, const StressPlan& plan, StressOutcome& outcome,
                     StressJoin& join);
  Task<void> feed(Process& process, const StressPlan& plan, StressOutcome& outcome, StressJoin& join);
  void fell_a_shepherd(Engine& engine, std::uint64_t choice);

  [[nodiscard]] bool time_is_up() const;
  [[nodiscard]] bool may_detach();
  void note(const StressPlan& plan, const StressOutcome& outcome);
  void note_left(const StressPlan& plan);
  void complain(std::string what);
  void check_before_close(Engine& engine);
  void check_after_close(std::size_t descriptors_before, std::size_t threads_before);

  const StormOptions options_;
  RollCall& roll_;
  StressClock clock_;
  std::mutex mutex_;  // For all below: commands end on several threads.
  std::condition_variable all_ended_;
  std::uint32_t slots_running_ = 0;
  std::int64_t over_ns_ = 0, last_kill_ns_ = 0;
  StormReport report_;
};

}  // namespace netrunner::tool
