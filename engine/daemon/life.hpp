#pragma once
/// The life of one instance: which event leads from which state to which, and what is to be done then.

#include <cstdint>

#include <netrunner/daemon.hpp>

namespace netrunner::daemon {

enum class Life : std::uint8_t {
  stopped,
  failed,
  waiting,            ///< For what must be there.
  spawning,           ///< The start is under way.
  up,                 ///< exec has succeeded; not ready.
  ready,
  ending_to_stop,     ///< On its way down; then it stays down.
  ending_to_restart,  ///< On its way down; then it is started anew.
  ending_overdue,     ///< On its way down because it was not ready, or silent, in time; then the policy decides.
  backing_off,
};
inline constexpr int lives = 10;

enum class LifeEvent : std::uint8_t {
  conditions_met,
  conditions_overdue,
  spawned,
  start_failed,
  became_ready,
  overdue,     ///< Not ready in time, or a watchdog's time without a sign.
  ended,       ///< Nothing of it is left.
  delay_over,
  stop,        ///< Asked for.
  restart,     ///< Asked for.
};
inline constexpr int life_events = 10;

enum class Deed : std::uint8_t {
  none,
  begin,      ///< Look whether everything is there for a start.
  spawn,
  greet,      ///< It runs: arm what watches it.
  order_end,  ///< Its ladder; for a start under way: take it back, or run the ladder as soon as it is through.
  judge,      ///< It ended unasked: the policy says what comes.
  give_up,    ///< It can't even be tried.
};

struct LifeStep {
  Life next;
  Deed deed;
};

/// Every cell is filled: an event that comes too late changes nothing.
[[nodiscard]] LifeStep step(Life life, LifeEvent event) noexcept;

[[nodiscard]] constexpr bool is_over(Life life) noexcept { return life == Life::stopped || life == Life::failed; }
[[nodiscard]] DaemonState state_of(Life life) noexcept;

}  // namespace netrunner::daemon
