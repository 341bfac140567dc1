#pragma once
/// The only place that waits for processes. Never blocks.

#include <cstdint>
#include <sys/types.h>

namespace netrunner::shepherd {

struct Death {
  bool seen = false;
  std::int32_t code = 0;    ///< CLD_EXITED, CLD_KILLED or CLD_DUMPED.
  std::int32_t status = 0;  ///< The exit code, or the signal.
  std::uint64_t user_us = 0, system_us = 0, max_rss_kib = 0;
};

/// Reaps our child `pid` where it has ended: its number is free from then on.
[[nodiscard]] Death reap(pid_t pid) noexcept;

/// A child of ours that has ended and isn't reaped; 0: none; -1: we have no child at all. Its cost grows with the
/// number of children that live.
[[nodiscard]] pid_t any_dead() noexcept;
/// The same in a process group; -1: none of our children is in it.
[[nodiscard]] pid_t any_dead_in(pid_t group) noexcept;

/// A child of ours, dead or alive: its number can't be another's.
[[nodiscard]] bool is_unreaped(pid_t pid) noexcept;
/// The same, and it has ended.
[[nodiscard]] bool has_died(pid_t pid) noexcept;

}  // namespace netrunner::shepherd
