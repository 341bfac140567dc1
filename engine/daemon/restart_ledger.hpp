#pragma once
/// When an instance that ended unasked is started again, and when it is given up. Pure: the clock comes as an argument.

#include <cstdint>
#include <deque>
#include <random>

#include <netrunner/daemon.hpp>

namespace netrunner::daemon {

/// The ends of one instance. Owner: the instance; thread: the supervisor's.
class RestartLedger {
 public:
  RestartLedger(const Backoff& backoff, const Burst& burst, std::uint64_t seed)
      : backoff_(backoff), burst_(burst), random_(seed) {}

  struct Verdict {
    bool give_up = false;
    Nanoseconds delay{0};
  };
  /// It ended (or could not be started) now, after it was ready for so long.
  [[nodiscard]] Verdict ended(std::int64_t now_ns, Nanoseconds ready_for);
  /// Somebody asked for a start: what was is forgotten.
  void forget() noexcept;
  [[nodiscard]] std::uint32_t ends_in_row() const noexcept { return ends_in_row_; }

 private:
  [[nodiscard]] Nanoseconds delay();

  Backoff backoff_;
  Burst burst_;
  std::mt19937_64 random_;
  std::uint32_t ends_in_row_ = 0;
  std::deque<std::int64_t> restarts_;  ///< When they were decided, in the last Burst::within; Burst::restarts at most.
};

}  // namespace netrunner::daemon
