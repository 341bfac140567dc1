#pragma once
/// What the counters of a command's groups say. No heap: the shepherd reads them before it removes the groups.

#include <cstdint>

#include "engine/os/cgroup.hpp"
#include "engine/os/hierarchy.hpp"

namespace netrunner::os {

struct CgroupUsage {
  /// Bits of `known`: which of the figures below were there to be read.
  enum Figure : std::uint32_t {
    cpu = 1U << 0,
    memory_peak = 1U << 1,
    memory_now = 1U << 2,
    pids_peak = 1U << 3,
    pids_now = 1U << 4,
    io = 1U << 5,
    oom = 1U << 6,
  };
  std::uint32_t known = 0;
  std::uint32_t memory_limit_met = 0;  ///< With oom: its own limit was met, not an outer one's.
  std::uint64_t user_us = 0, system_us = 0;
  std::uint64_t memory_peak_bytes = 0, memory_now_bytes = 0;
  std::uint64_t pids_peak_count = 0, pids_now_count = 0;
  std::uint64_t io_read_bytes = 0, io_written_bytes = 0;
  std::uint64_t oom_kills = 0;
};

/// CPU time of everything that ever ran in a v2 group or below: cpu.stat, which needs no controller. One open and read.
void read_cpu(const Cgroup& group, CgroupUsage& usage) noexcept;
/// The same of a path below an open directory.
void read_cpu_at(const Cgroup& directory, const char* path_of_cpu_stat, CgroupUsage& usage) noexcept;
/// Adds every figure that this group has.
void read_usage(const Cgroup& group, Hierarchy hierarchy, CgroupUsage& usage) noexcept;

/// The number after `key` at the start of a line; false: there is no such line.
[[nodiscard]] bool number_after(const char* text, const char* key, std::uint64_t& value) noexcept;

}  // namespace netrunner::os
