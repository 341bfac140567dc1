#pragma once
/// How a process ended that may not be a child of ours.

#include <cstdint>

namespace netrunner::os {

struct ExitInfo {
  std::int32_t code = 0;    ///< CLD_EXITED, CLD_KILLED or CLD_DUMPED, see waitid(2); 0: it isn't known.
  std::int32_t status = 0;  ///< The exit code, or the signal.
};

enum class ExitKnowledge : std::uint8_t {
  known,
  not_yet,  ///< Its parent has not reaped it: the kernel will know then (Linux 6.15).
  never,    ///< It isn't a child of ours, and this kernel tells nobody else.
};

/// Asks for the end of a process that has ended, by its pidfd. A child of this process stays to be reaped (WNOWAIT).
[[nodiscard]] ExitKnowledge exit_of(int pidfd, ExitInfo& info) noexcept;

}  // namespace netrunner::os
