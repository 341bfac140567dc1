#pragma once
/// What /proc/pid/stat says of a process. No heap.

#include <sys/types.h>

#include <cstdint>

namespace netrunner::os {

struct ProcessStatus {
  char state = 0;  ///< R, S, D, T, Z, ... as in proc(5); 0: there is no such process.
  pid_t parent = 0;
  std::uint64_t start_time = 0;  ///< In clock ticks since boot: with the pid, it tells a process from any other.
};
[[nodiscard]] ProcessStatus status_of(pid_t pid) noexcept;
[[nodiscard]] constexpr bool is_dead(char state) noexcept { return state == 0 || state == 'Z' || state == 'X'; }

}  // namespace netrunner::os
