#pragma once

#include <atomic>
#include <cstdint>

#include <netrunner/error.hpp>
#include <netrunner/letter.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::reactor {

using detail::Letter;

/// Letters from any thread to one: a lock-free stack that the reader turns over, and an eventfd that is written only
/// while the reader sleeps. The only atomics of the engine.
/// Owner: one Reactor. push() in any thread, the rest in the reader's.
class Mailbox {
 public:
  [[nodiscard]] static Result<Mailbox> open();
  Mailbox(Mailbox&& other) noexcept : wake_(std::move(other.wake_)) {}

  /// False: closed, the letter was not taken.
  [[nodiscard]] bool push(Letter& letter) noexcept;

  /// All letters, in the order in which they were posted; null: none.
  [[nodiscard]] Letter* take() noexcept;
  /// Announces sleep; false: letters have come, don't.
  [[nodiscard]] bool may_sleep() noexcept;
  void awake() noexcept { sleeping_.store(false, std::memory_order_relaxed); }
  /// No letter is taken any more, and nobody who posted one is in push() still; returns the last ones.
  [[nodiscard]] Letter* close() noexcept;
  [[nodiscard]] bool is_closed() const noexcept { return head_.load(std::memory_order_acquire) == &closed_mark; }
  [[nodiscard]] int wake_fd() const noexcept { return wake_.get(); }

 private:
  explicit Mailbox(os::UniqueFd wake) noexcept : wake_(std::move(wake)) {}
  [[nodiscard]] bool swap_in(Letter& letter, Letter* head) noexcept;
  static Letter* in_order(Letter* newest) noexcept;
  static Letter closed_mark;

  // The reader's side and the posters' side share one line by need: the head.
  alignas(64) std::atomic<Letter*> head_{nullptr};
  std::atomic<bool> sleeping_{false};
  std::atomic<std::uint32_t> posters_{0};  ///< In push() now.
  alignas(64) os::UniqueFd wake_;
};

}  // namespace netrunner::reactor
