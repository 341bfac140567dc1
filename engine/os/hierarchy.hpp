#pragma once
/// The hierarchies that a limit may live in: the unified one of cgroup v2, and those of v1 controllers. See cgroups(7).

#include <array>
#include <cstddef>
#include <cstdint>

namespace netrunner::os {

/// Two v1 controllers that are mounted together (cpu,cpuacct) are two names of one directory: harmless.
enum class Hierarchy : std::uint8_t { unified, memory, pids, cpu, cpuset, blkio, cpuacct };
inline constexpr std::size_t hierarchies = 7;
inline constexpr std::array<Hierarchy, hierarchies> all_hierarchies = {
    Hierarchy::unified, Hierarchy::memory, Hierarchy::pids,   Hierarchy::cpu,
    Hierarchy::cpuset,  Hierarchy::blkio,  Hierarchy::cpuacct,
};

/// As mount options and /proc/self/cgroup name it; the unified one has no name there.
[[nodiscard]] constexpr const char* name_of(Hierarchy hierarchy) noexcept {
  constexpr std::array<const char*, hierarchies> names = {"unified", "memory", "pids", "cpu",
                                                          "cpuset",  "blkio",  "cpuacct"};
  return names[static_cast<std::size_t>(hierarchy)];
}

/// A set of them.
[[nodiscard]] constexpr std::uint32_t bit_of(Hierarchy hierarchy) noexcept {
  return std::uint32_t{1} << static_cast<unsigned int>(hierarchy);
}
[[nodiscard]] constexpr bool has(std::uint32_t set, Hierarchy hierarchy) noexcept {
  return (set & bit_of(hierarchy)) != 0;
}
inline constexpr std::uint32_t every_hierarchy = (std::uint32_t{1} << hierarchies) - 1;

}  // namespace netrunner::os
