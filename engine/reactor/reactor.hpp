#pragma once

#include <cstdint>
#include <memory>
#include <sys/types.h>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"
#include "engine/reactor/mailbox.hpp"
#include "engine/reactor/timers.hpp"
#include "engine/ring/read.hpp"
#include "engine/ring/ring.hpp"
#include "engine/ring/timeout.hpp"

namespace netrunner::reactor {

/// Who waits for the next turn: turn() itself, or a loop of the host's that has foreign_fd().
enum class Loop : std::uint8_t { own, foreign };

/// One thread's turn: completions, then letters, then timers. Policy-free.
/// Owner: one shard. Thread: the one that opened it; only post() may be called from others.
class Reactor {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Reactor>> open(Loop loop = Loop::own);
  ~Reactor();

  /// One turn: waits until `wait_until_ns` (CLOCK_MONOTONIC) at most, less where a timer is due or a letter comes.
  void turn(std::int64_t wait_until_ns);
  /// False: the mailbox is closed. On the reactor's own thread call the receiver directly instead.
  [[nodiscard]] bool post(Letter& letter) noexcept { return mailbox_.push(letter); }
  /// On the reactor's own thread: a letter that was posted and not opened yet will not be.
  void take_out(Letter& letter) noexcept;
  /// Opens what was posted last and takes nothing any more. The ring goes on.
  void close_mailbox();
  /// Cancels the reactor's own operation, after which the ring may be idle.
  void stop_listening();

  /// On the reactor's own thread, when nothing is in flight: the descriptor that is registered for this thread goes.
  void close_ring() { ring_.reset(); }
  /// Any thread: the mailbox takes nothing any more.
  [[nodiscard]] bool is_closed() const noexcept { return mailbox_.is_closed(); }

  [[nodiscard]] bool on_thread() const noexcept;
  [[nodiscard]] ring::Ring& ring() noexcept { return *ring_; }
  [[nodiscard]] Timers& timers() noexcept { return timers_; }
  /// CLOCK_MONOTONIC, read once per turn and after each wait.
  [[nodiscard]] std::int64_t now_ns() const noexcept { return now_ns_; }
  [[nodiscard]] std::uint64_t turns() const noexcept { return turns_; }
  [[nodiscard]] std::uint32_t completions_of_turn() const noexcept { return completions_of_turn_; }

  /// After whatever happened between two turns: the foreign loop learns when the next one is due. `busy`: now.
  void announce(bool busy);
  /// Readable when turn() has something to do.
  [[nodiscard]] int foreign_fd() const noexcept { return foreign_.get(); }

 private:
  Reactor(std::unique_ptr<ring::Ring> ring, Mailbox mailbox);
  [[nodiscard]] Result<void> open_foreign();
  void listen();
  [[nodiscard]] bool alarm_wakes_by(std::int64_t until_ns);
  void open_letters(std::size_t count_max);

  std::unique_ptr<ring::Ring> ring_;
  Mailbox mailbox_;
  Timers timers_;
  ring::Read wake_;
  std::uint64_t wake_count_ = 0;
  ring::Timeout alarm_;
  std::int64_t alarm_ns_ = INT64_MAX;  ///< While the alarm is in flight.
  Letter* unopened_ = nullptr;  ///< Taken from the mailbox.
  bool listening_ = true;
  pid_t thread_;
  std::int64_t now_ns_;
  std::uint64_t turns_ = 0;
  std::uint32_t completions_of_turn_ = 0;
  os::UniqueFd ring_event_, timer_, foreign_;  ///< Foreign loop only: an epoll of the other two.
  std::int64_t announced_ns_ = INT64_MAX;
};

}  // namespace netrunner::reactor
