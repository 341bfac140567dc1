#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/wire/limits.hpp"

namespace netrunner::shepherd {

inline constexpr std::uint32_t commands_max = 65536;
/// Commands between clone and the end of exec. A binary on a hung file system keeps its place; the others go round it.
inline constexpr std::uint32_t spawns_at_once_max = 256;
inline constexpr std::uint32_t places_kept = 16;  ///< Of them, whose memory stays after a burst of starts...
inline constexpr std::int64_t trim_pause_ns = 1'000'000'000;  ///< ...when there was none for so long.
inline constexpr std::size_t stack_bytes = 16 * 1024;
inline constexpr std::size_t own_stack_bytes = 1024 * 1024;  ///< Of the thread that does the work; touched as used.
/// argv and environment pointers kept in the place itself; more of them are mapped for the one command.
inline constexpr std::size_t pointers_inline_max = 512;

inline constexpr std::uint32_t submission_entries = 256;
inline constexpr std::uint32_t completion_entries = 4096;

inline constexpr std::int64_t ms = 1'000'000;
inline constexpr std::int64_t second = 1000 * ms;

/// clone(2) gives EAGAIN at a process limit: each start is tried again for so long since it came, and since the first
/// that was refused.
inline constexpr std::int64_t clone_retry_max_ns = 1 * second;
inline constexpr std::int64_t clone_pause_min_ns = 1 * ms;
inline constexpr std::int64_t clone_pause_max_ns = 50 * ms;
/// Starts take no more of one turn: signals, ends and the host's question whether we live come between them.
inline constexpr std::int64_t starts_turn_max_ns = 50 * ms;
/// ETXTBSY of exec: tried again for so long, in the child. A vforking child holds up the shepherd: briefly only.
inline constexpr std::int64_t text_busy_max_ns = 1 * second;
inline constexpr std::int64_t text_busy_vfork_max_ns = 20 * ms;
/// A command that was signalled before its exec ended: how long its death is awaited before it counts as started.
inline constexpr std::int64_t decide_max_ns = 50 * ms;

inline constexpr std::int64_t settle_max_ns = 10 * second;  ///< A group that doesn't die (D state) is given up then.
inline constexpr std::int64_t settle_poll_min_ns = 1 * ms;
inline constexpr std::int64_t settle_poll_max_ns = 64 * ms;

/// Scans whose cost grows with the number of commands take a twentieth of the time at most.
inline constexpr std::int64_t scan_pause_min_ns = 50 * ms;
inline constexpr std::int64_t scan_cost_factor = 20;
inline constexpr std::int64_t scan_budget_ns = scan_pause_min_ns / scan_cost_factor;

inline constexpr std::int64_t terminate_max_ns = 7 * second;  ///< SIGTERM to the shepherd: ladders, then SIGKILL...
inline constexpr std::int64_t host_loss_max_ns = 3600 * second;  ///< The host is gone: no ladder is longer then.
inline constexpr std::int64_t sweep_max_ns = 2 * second;      ///< ...then whatever is left. Together 10 s.
inline constexpr std::int64_t last_words_max_ns = 1 * second; ///< For a host that doesn't read its messages.
inline constexpr std::int64_t sweep_budget_ns = 5 * ms;       ///< Of one call for one command.
inline constexpr std::int64_t unsure_max_ns = 100 * ms;       ///< After an end: for processes in the middle of exec.
inline constexpr std::int64_t orphans_age_max_ns = 5 * ms;    ///< Of the look that says who gets a signal.
inline constexpr std::int64_t stop_retry_ns = 5 * ms;         ///< A stop command that can't be started is tried again.
inline constexpr std::int64_t stop_end_max_ns = 1 * second;   ///< A leader's end waits no longer for that of one.
inline constexpr std::int64_t sibling_poll_ns = 5 * ms;       ///< The host is gone: how often siblings are looked at...
inline constexpr std::int64_t hunt_budget_ns = 20 * ms;       ///< Of one turn, for what a dead sibling left.
inline constexpr std::int64_t sibling_ask_ns = 20 * ms;       ///< ...and asked for commands of theirs.
inline constexpr std::int64_t sibling_stopped_max_ns = 5 * second;
inline constexpr std::int64_t leaf_retry_min_ns = 2 * ms;     ///< A leaf that could not be removed is tried again.
inline constexpr std::int64_t leaf_retry_max_ns = 1 * second;
inline constexpr std::int64_t leaf_lasting_ns = 250 * ms;     ///< In the way for so long, the host is told.
inline constexpr std::int64_t cpu_look_min_ns = 2 * ms;       ///< How often a command's CPU time is looked at, the
inline constexpr std::int64_t cpu_look_max_ns = 500 * ms;     ///< nearer to its limit the more often.
inline constexpr std::size_t walk_processes_max = 4096;       ///< Looked at in one walk over descendants.

static_assert(spawns_at_once_max <= commands_max);
static_assert(pointers_inline_max * sizeof(char*) <= 4096);

}  // namespace netrunner::shepherd
