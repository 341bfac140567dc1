#pragma once
/// What is known of the instances, for whoever asks or waits, in any thread.

#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <netrunner/daemon.hpp>

#include "engine/daemon/run.hpp"

namespace netrunner::daemon {

enum class Awaited : std::uint8_t { ready, ended };

/// Somebody who waits. Its owner's, from add() until it was woken or removed.
struct Waiter {
  Awaited what = Awaited::ready;
  void (*wake)(Waiter& waiter) noexcept = nullptr;  ///< Called without a lock; the waiter may be gone when it returns.
  void* context = nullptr;
  std::optional<Error> error;  ///< Set before it is woken.
  bool listed = false;
};

/// State, not events: who asks late gets the same answer. Written by the supervisor alone.
class Board {
 public:
  Board(std::uint32_t instances, std::string subject);

  void set(const InstanceStatus& status, std::shared_ptr<Run> running);
  void set_all_written(bool written);

  [[nodiscard]] std::vector<InstanceStatus> instances() const;
  /// Null: it doesn't run. Error: there is none of that number.
  [[nodiscard]] Result<std::shared_ptr<Run>> running(std::uint32_t instance) const;
  /// False: what it waits for is so already (its error may be set), it is not listed and won't be woken.
  [[nodiscard]] bool add(Waiter& waiter);
  /// False: it has been woken, or is being woken now.
  bool remove(Waiter& waiter);

 private:
  [[nodiscard]] bool is_answered(Waiter& waiter) const;
  [[nodiscard]] Error why_over(const InstanceStatus& status) const;
  void answer(std::unique_lock<std::mutex> lock);

  const std::string subject_;  ///< The program, in errors.
  mutable std::mutex mutex_;
  std::vector<InstanceStatus> instances_;
  std::vector<std::shared_ptr<Run>> running_;
  bool all_written_ = true;
  std::vector<Waiter*> waiters_;
};

/// `co_await`: suspends until it is so. Resumes in the supervisor's thread, or doesn't suspend.
class BoardWait {
 public:
  BoardWait(Board& board, Awaited what) noexcept : board_(board) { waiter_.what = what; }
  BoardWait(const BoardWait&) = delete;
  BoardWait& operator=(const BoardWait&) = delete;
  ~BoardWait() { (void)board_.remove(waiter_); }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiting) {
    suspended_ = true;  // Before add(): from then on it may be resumed.
    waiter_.context = waiting.address();
    waiter_.wake = [](Waiter& woken) noexcept { std::coroutine_handle<>::from_address(woken.context).resume(); };
    if (board_.add(waiter_)) return true;
    suspended_ = false;
    return false;
  }
  /// Whether it was suspended: then this is the supervisor's thread.
  [[nodiscard]] bool await_resume() const noexcept { return suspended_; }
  [[nodiscard]] std::optional<Error>& error() noexcept { return waiter_.error; }

 private:
  Board& board_;
  Waiter waiter_;
  bool suspended_ = false;
};

/// The state of the whole.
[[nodiscard]] DaemonState state_of(const std::vector<InstanceStatus>& instances) noexcept;

}  // namespace netrunner::daemon
