#pragma once
/// What is known of the instances, for whoever asks or waits, in any thread.

#include <coroutine>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <netrunner/daemon.hpp>

#include "engine/daemon/run.hpp"

namespace netrunner::daemon {

enum class Awaited : std::uint8_t { ready, ended };

/// Somebody who waits. Its owner's, from add() until it was woken or removed.
struct Waiter {
  Awaited what = Awaited::ready;
  /// Called under the board's lock, and must not go on by itself. False: `go_on` is called without the lock.
  bool (*wake)(Waiter& waiter) noexcept = nullptr;
  void (*go_on)(Waiter& waiter) noexcept = nullptr;  ///< The waiter may be gone when it returns.
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

/// `co_await`: suspends until it is so, or doesn't suspend. Resumes by `hop`, which the supervisor starts: a coroutine
/// that runs on the shard's thread may destroy another that waits, wherever its wake-up is. Where the engine has closed
/// it resumes in the supervisor's thread.
class BoardWait {
 public:
  BoardWait(Board& board, Awaited what, Awaitable<void> hop) noexcept : board_(board), hop_(std::move(hop)) {
    waiter_.what = what;
    waiter_.context = this;
    waiter_.wake = [](Waiter& woken) noexcept { return netrunner::detail::start(self(woken).hop_); };
    waiter_.go_on = [](Waiter& woken) noexcept { resume(self(woken).hop_); };
  }
  BoardWait(const BoardWait&) = delete;
  BoardWait& operator=(const BoardWait&) = delete;
  ~BoardWait() { (void)board_.remove(waiter_); }  // And the hop is withdrawn, if it was started.

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiting) {
    hop_.waiter = waiting.address();
    hop_.on_done = resume;
    return board_.add(waiter_);  // From then on it may be resumed.
  }
  /// Why what it waits for can't come any more.
  [[nodiscard]] std::optional<Error> await_resume() noexcept { return std::move(waiter_.error); }

 private:
  static BoardWait& self(Waiter& waiter) noexcept { return *static_cast<BoardWait*>(waiter.context); }
  static void resume(netrunner::detail::Verb& hop) noexcept {
    std::coroutine_handle<>::from_address(hop.waiter).resume();
  }

  Board& board_;
  Awaitable<void> hop_;
  Waiter waiter_;
};

/// The state of the whole.
[[nodiscard]] DaemonState state_of(const std::vector<InstanceStatus>& instances) noexcept;

}  // namespace netrunner::daemon
