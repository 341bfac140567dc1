#pragma once

#include <cstdint>
#include <string_view>

namespace netrunner::shard {

/// Where a command stands, as its host sees it.
enum class Life : std::uint8_t {
  starting,  ///< Spawn was sent.
  running,   ///< exec succeeded.
  draining,  ///< The leader ended; output still comes, or its group is not dealt with.
  settling,  ///< Its group is being dealt with.
  ended,     ///< Nothing of it is left; the result stands.
};

enum class LifeEvent : std::uint8_t {
  started,       ///< The shepherd: exec succeeded.
  start_failed,  ///< The shepherd: it never ran.
  exited,        ///< The shepherd: the leader ended.
  drain_over,    ///< Every stream ended, or the drain budget did.
  settled,       ///< The shepherd: the group is dealt with.
  complete,      ///< Settled, and every stream has ended.
  lost,          ///< The shepherd died.
};

/// What follows from an event in a state.
enum class LifeAction : std::uint8_t {
  none,
  report_start,    ///< The owner gets its Process.
  report_failure,  ///< The owner gets an Error.
  drain,           ///< Wait for the streams, for the drain budget at most.
  settle,          ///< Have the group dealt with.
  note_settled,
  end,             ///< Build the result and tell everyone.
  give_up,         ///< Kill by pidfd; the result says shepherd_lost.
  impossible,      ///< The treaty was broken.
};

struct LifeStep {
  Life next;
  LifeAction action;
};

/// The whole life of a command in the host; every cell is filled.
[[nodiscard]] LifeStep step(Life state, LifeEvent event) noexcept;
[[nodiscard]] std::string_view name_of(Life state) noexcept;

}  // namespace netrunner::shard
