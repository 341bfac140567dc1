#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace netrunner::os {

/// What a running process has used, with the children that it has waited for.
struct ProcessUsage {
  std::uint64_t user_us = 0, system_us = 0;
  std::uint64_t max_rss_kib = 0;  ///< VmHWM: of this process alone.
};

/// proc(5) /proc/PID/stat and status. Nothing: it has ended (`pidfd` is asked after the reading, so that the figures
/// are never those of another process with its number), or /proc does not show it.
[[nodiscard]] std::optional<ProcessUsage> usage_of(int pidfd, pid_t pid);

}  // namespace netrunner::os
