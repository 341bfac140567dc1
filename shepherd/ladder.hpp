#pragma once
/// A kill ladder under way: pure arithmetic on rungs and times.

#include <array>
#include <cstdint>
#include <span>

#include <netrunner/error.hpp>

#include "engine/wire/message.hpp"
#include "shepherd/clock.hpp"

namespace netrunner::shepherd {

/// One rung in eight bytes, because a thousand commands keep theirs in memory: 7 bits of signal (or of a stop command's
/// number), 2 of target, 55 of pause in microseconds (a thousand years).
using PackedRung = std::uint64_t;

/// The last rung is SIGKILL to everything, whatever was asked for.
class Ladder {
 public:
  /// No valid rung: SIGKILL at once.
  [[nodiscard]] static Ladder of(std::span<const wire::WireRung> rungs) noexcept;

  [[nodiscard]] bool under_way() const noexcept { return under_way_; }
  [[nodiscard]] bool finished() const noexcept { return next_ == count_; }
  /// From the first rung, at `now`.
  void begin(std::int64_t now) noexcept;
  /// When the next rung is due; `never`: not begun, or finished.
  [[nodiscard]] std::int64_t due_ns() const noexcept { return !under_way_ || finished() ? never : due_ns_; }
  /// The rung that is due; the pause to the next one begins.
  [[nodiscard]] wire::WireRung climb(std::int64_t now) noexcept;
  /// The rung's signal is out only now: its pause is no shorter for what that took.
  void pause_from(std::int64_t sent_ns, const wire::WireRung& rung) noexcept;
  /// The rung has failed: the next one is due at once.
  void go_on(std::int64_t now) noexcept { due_ns_ = now; }
  /// When SIGKILL goes out: of a ladder under way, or of one that would begin at `now`.
  [[nodiscard]] std::int64_t kill_ns(std::int64_t now) const noexcept;

 private:
  std::int64_t due_ns_ = 0;
  std::uint8_t count_ = 0;
  std::uint8_t next_ = 0;
  bool under_way_ = false;
  std::array<PackedRung, wire::rungs_max> rungs_;
};

/// A second stop may only shorten the first: true where `wanted`, begun now, kills earlier than `current`.
[[nodiscard]] bool replaces(const Ladder& wanted, const Ladder& current, std::int64_t now) noexcept;

/// A stopped process gets no SIGTERM until it goes on: such a signal is followed by SIGCONT.
[[nodiscard]] bool needs_continue(int signal) noexcept;

}  // namespace netrunner::shepherd
