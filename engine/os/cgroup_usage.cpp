#include "engine/os/cgroup_usage.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace netrunner::os {
namespace {

using enum CgroupUsage::Figure;

constexpr std::size_t flat_file_bytes = 2048;
/// io.stat has a line per device; what lies past it isn't counted.
constexpr std::size_t device_file_bytes = 16 * 1024;

void parse_cpu(const char* text, CgroupUsage& usage) noexcept {
  if (!number_after(text, "user_usec ", usage.user_us)) return;
  if (number_after(text, "system_usec ", usage.system_us)) usage.known |= cpu;
}

/// A file that holds one number.
bool read_number(const Cgroup& group, const char* file, std::uint64_t& value) noexcept {
  char text[32];
  if (!group.read(file, text)) return false;
  char* end = nullptr;
  value = std::strtoull(text, &end, 10);
  return end != text;
}

void note(CgroupUsage& usage, bool known, CgroupUsage::Figure figure) noexcept {
  if (known) usage.known |= figure;
}

/// "254:0 rbytes=1 wbytes=2 rios=..." a line, of all devices.
void read_io(const Cgroup& group, CgroupUsage& usage) noexcept {
  char text[device_file_bytes];
  if (!group.read("io.stat", text)) return;
  for (const char* at = text; (at = std::strstr(at, "rbytes=")) != nullptr; ++at) {
    usage.io_read_bytes += std::strtoull(at + std::strlen("rbytes="), nullptr, 10);
  }
  for (const char* at = text; (at = std::strstr(at, "wbytes=")) != nullptr; ++at) {
    usage.io_written_bytes += std::strtoull(at + std::strlen("wbytes="), nullptr, 10);
  }
  usage.known |= io;
}

/// "8:0 Read 512" a line, of all devices.
void read_blkio(const Cgroup& group, CgroupUsage& usage) noexcept {
  char text[device_file_bytes];
  if (!group.read("blkio.throttle.io_service_bytes_recursive", text)) return;
  for (const char* at = text; (at = std::strstr(at, " Read ")) != nullptr; ++at) {
    usage.io_read_bytes += std::strtoull(at + std::strlen(" Read "), nullptr, 10);
  }
  for (const char* at = text; (at = std::strstr(at, " Write ")) != nullptr; ++at) {
    usage.io_written_bytes += std::strtoull(at + std::strlen(" Write "), nullptr, 10);
  }
  usage.known |= io;
}

void read_pids(const Cgroup& group, CgroupUsage& usage) noexcept {
  note(usage, read_number(group, "pids.peak", usage.pids_peak_count), pids_peak);
  note(usage, read_number(group, "pids.current", usage.pids_now_count), pids_now);
}

void read_unified(const Cgroup& group, CgroupUsage& usage) noexcept {
  read_cpu(group, usage);
  note(usage, read_number(group, "memory.peak", usage.memory_peak_bytes), memory_peak);
  note(usage, read_number(group, "memory.current", usage.memory_now_bytes), memory_now);
  char events[flat_file_bytes];
  if (group.read("memory.events", events)) note(usage, number_after(events, "oom_kill ", usage.oom_kills), oom);
  // `oom` counts allocations that failed at this group's limit; those of an outer one's are counted there.
  std::uint64_t failed = 0;
  const bool local = group.read("memory.events.local", events) && number_after(events, "oom ", failed);
  usage.memory_limit_met = local && failed > 0 ? 1 : 0;
  read_pids(group, usage);
  read_io(group, usage);
}

/// memory.failcnt would tell, but stays 0 on Linux 6.18. Pages are charged in batches: the peak may be one short.
bool came_up_to(const Cgroup& group, const char* peak_file, const char* limit_file) noexcept {
  constexpr std::uint64_t batch_bytes = 64 * 4096;
  std::uint64_t peak = 0, limit = 0;
  if (!read_number(group, peak_file, peak) || !read_number(group, limit_file, limit)) return false;
  return peak + batch_bytes >= limit;
}

void read_memory(const Cgroup& group, CgroupUsage& usage) noexcept {
  note(usage, read_number(group, "memory.max_usage_in_bytes", usage.memory_peak_bytes), memory_peak);
  note(usage, read_number(group, "memory.usage_in_bytes", usage.memory_now_bytes), memory_now);
  char control[flat_file_bytes];
  // Linux 4.13.
  if (group.read("memory.oom_control", control)) note(usage, number_after(control, "oom_kill ", usage.oom_kills), oom);
  usage.memory_limit_met = came_up_to(group, "memory.max_usage_in_bytes", "memory.limit_in_bytes") ||
                                   came_up_to(group, "memory.memsw.max_usage_in_bytes", "memory.memsw.limit_in_bytes")
                               ? 1
                               : 0;
}

/// The sum is exact; its parts are counted by ticks, of which a busy machine loses some: only their relation is used.
void read_cpuacct(const Cgroup& group, CgroupUsage& usage) noexcept {
  if ((usage.known & cpu) != 0) return;
  std::uint64_t all_ns = 0, user_ns = 0, system_ns = 0;
  if (!read_number(group, "cpuacct.usage", all_ns)) return;
  if (!read_number(group, "cpuacct.usage_user", user_ns) || !read_number(group, "cpuacct.usage_sys", system_ns)) return;
  const auto ticks = static_cast<double>(std::max<std::uint64_t>(user_ns + system_ns, 1));
  const double system_part = static_cast<double>(system_ns) / ticks;
  usage.system_us = static_cast<std::uint64_t>(static_cast<double>(all_ns) * system_part / 1000);
  usage.user_us = all_ns / 1000 - std::min(usage.system_us, all_ns / 1000);
  usage.known |= cpu;
}

}  // namespace

bool number_after(const char* text, const char* key, std::uint64_t& value) noexcept {
  for (const char* at = text; (at = std::strstr(at, key)) != nullptr; ++at) {
    if (at != text && at[-1] != '\n') continue;
    value = std::strtoull(at + std::strlen(key), nullptr, 10);
    return true;
  }
  return false;
}

void read_cpu(const Cgroup& group, CgroupUsage& usage) noexcept { read_cpu_at(group, "cpu.stat", usage); }

void read_cpu_at(const Cgroup& directory, const char* path_of_cpu_stat, CgroupUsage& usage) noexcept {
  char text[flat_file_bytes];
  if (directory.read(path_of_cpu_stat, text)) parse_cpu(text, usage);
}

void read_usage(const Cgroup& group, Hierarchy hierarchy, CgroupUsage& usage) noexcept {
  switch (hierarchy) {
    case Hierarchy::unified: return read_unified(group, usage);
    case Hierarchy::memory: return read_memory(group, usage);
    case Hierarchy::pids: return read_pids(group, usage);
    case Hierarchy::blkio: return read_blkio(group, usage);
    case Hierarchy::cpuacct: return read_cpuacct(group, usage);
    case Hierarchy::cpu:
    case Hierarchy::cpuset: return;
  }
}

}  // namespace netrunner::os
