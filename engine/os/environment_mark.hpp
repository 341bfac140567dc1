#pragma once
/// A variable in a command's environment by which its processes are known where there is no cgroup to tell. A program
/// that clears its environment loses it. No heap: the shepherd uses it too.

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace netrunner::os {

/// "NETRUNNER_COMMAND=<shepherd>.<slot>.<generation>", hexadecimal.
struct EnvironmentMark {
  std::uint64_t shepherd = 0;  ///< Unique among all shepherds of this boot.
  std::uint32_t slot = 0, generation = 0;
  friend bool operator==(const EnvironmentMark&, const EnvironmentMark&) = default;
};
inline constexpr std::size_t mark_bytes_max = 64;

void write_mark(const EnvironmentMark& mark, char (&text)[mark_bytes_max]) noexcept;
/// False: the process is gone, may not be looked at, or has no mark.
[[nodiscard]] bool mark_of(pid_t pid, EnvironmentMark& mark) noexcept;
/// False for a process in the middle of exec, for one that was given none, and for one that may not be looked at.
[[nodiscard]] bool has_environment(pid_t pid) noexcept;
/// Every process in /proc that carries the mark of this shepherd gets the signal (0: none, they are only counted).
/// Each goes by a pidfd that was opened before the mark was read. Returns how many there were; zombies have no
/// environment and don't count.
std::uint32_t signal_marked(std::uint64_t shepherd, int signal) noexcept;

}  // namespace netrunner::os
