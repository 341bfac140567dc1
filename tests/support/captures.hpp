#pragma once
/// Many commands under way at once, started from one thread that blocks for none of them.

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

#include <netrunner/netrunner.hpp>

#include "tests/support/engine_fixture.hpp"

namespace tests {

/// Owner of the results. Joined before it dies; the engine must outlive it, or be closed.
class Captures {
 public:
  explicit Captures(nr::Engine& engine) : engine_(engine) {}
  Captures(const Captures&) = delete;
  Captures& operator=(const Captures&) = delete;
  ~Captures() { (void)join(nr::Deadline::never()); }

  using Outcome = nr::Result<nr::Completed>;
  /// Captures it; returns as soon as it is handed to the engine.
  void start(nr::Command command, std::stop_token stop = {}) {
    Outcome* slot = nullptr;
    {
      const std::lock_guard guard(mutex_);
      slot = &outcomes_.emplace_back(std::unexpected(nr::Error{}));
      ++under_way_;
    }
    nr::start_detached(one(std::move(command), std::move(stop), slot));
  }
  /// Waits until every one has ended. False: not in time.
  [[nodiscard]] bool join(nr::Deadline deadline = verb_deadline()) {
    std::unique_lock lock(mutex_);
    const auto none_left = [this] { return under_way_ == 0; };
    if (deadline.is_never()) {
      changed_.wait(lock, none_left);
      return true;
    }
    const std::chrono::steady_clock::time_point until{nr::Nanoseconds(deadline.monotonic_ns())};
    return changed_.wait_until(lock, until, none_left);
  }
  /// In the order of start; after join.
  [[nodiscard]] std::deque<Outcome>& outcomes() { return outcomes_; }
  [[nodiscard]] std::size_t under_way() {
    const std::lock_guard guard(mutex_);
    return under_way_;
  }

 private:
  nr::Task<void> one(nr::Command command, std::stop_token stop, Outcome* slot) {
    Outcome outcome = co_await engine_.capture(std::move(command), {}, std::move(stop));
    const std::lock_guard guard(mutex_);
    *slot = std::move(outcome);
    --under_way_;
    changed_.notify_all();
  }

  nr::Engine& engine_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t under_way_ = 0;
  std::deque<Outcome> outcomes_;  // A deque: a slot never moves.
};

/// Stopped before exec was over: that is an end with a reason, or a start that failed, as the moment has it.
[[nodiscard]] inline bool ended_or_failed(const nr::Result<nr::Completed>& outcome, nr::EndReason reason,
                                          nr::ErrorCode code) {
  return outcome ? outcome->ended.reason == reason : outcome.error().code == code;
}
[[nodiscard]] inline std::string to_string(const nr::Result<nr::Completed>& outcome) {
  return outcome ? std::string(nr::name_of(outcome->ended.reason)) : outcome.error().message();
}

}  // namespace tests
