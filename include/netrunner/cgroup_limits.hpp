#pragma once
/// Limits of a whole command, descendants included, as cgroups(7) has them: memory, processes, CPU, io. Those of
/// setrlimit(2), each process for itself, are in limits.hpp.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <netrunner/deadline.hpp>
#include <netrunner/limits.hpp>

namespace netrunner {

/// What the processes of a command may have together. What isn't set is not limited. Plain values, named as the files
/// of cgroup v2 are (Documentation/admin-guide/cgroup-v2.rst of the kernel).
///
/// Carried by the cgroup v2 controllers where they are at hand, else by the v1 controllers beside a bare v2 hierarchy;
/// `available_limits()` says which here. v1 has no memory_high, memory_low, memory_min and oom_group.
struct Limits {
  static constexpr std::uint64_t unlimited = UINT64_MAX;

  /// Bytes. Past it the kernel reclaims; then its OOM killer ends a process of the command, and where that was the
  /// leader the reason is `out_of_memory`. Page cache counts. memory.max; v1 memory.limit_in_bytes.
  std::optional<std::uint64_t> memory_max{};
  std::optional<std::uint64_t> memory_high{};  ///< Bytes past which it is slowed down and reclaimed. v2 only.
  std::optional<std::uint64_t> memory_low{};   ///< Bytes that are reclaimed last, best effort. v2 only.
  std::optional<std::uint64_t> memory_min{};   ///< Bytes that are never reclaimed. v2 only.
  /// Bytes of swap, beside memory; 0: none. memory.swap.max; v1 memory.memsw.limit_in_bytes (needs memory_max too).
  std::optional<std::uint64_t> swap_max{};
  /// Out of memory kills all of the command, not one process of it. memory.oom.group. v2 only.
  std::optional<bool> oom_group{};
  /// Processes and threads together, the leader included; past it fork(2) gives EAGAIN. pids.max.
  std::optional<std::uint64_t> pids_max{};
  /// In CPUs: 1.5 is one and a half CPU's time in each period of 100 ms; infinity: no quota; at least 0.01. cpu.max.
  std::optional<double> cpu_quota{};
  std::optional<std::uint32_t> cpu_weight{};  ///< Share against others where CPUs are scarce: 1 to 10000, 100 usual.
  std::optional<bool> cpu_idle{};             ///< Runs only where nothing else wants the CPU (SCHED_IDLE). Linux 5.15.
  std::optional<std::uint32_t> io_weight{};   ///< Share of block devices: 1 to 10000, 100 usual. io.weight or BFQ's.
  std::vector<int> cpuset_cpus{};             ///< Only these CPUs; empty: all. cpuset.cpus.
  std::vector<int> cpuset_mems{};             ///< Memory of only these NUMA nodes; empty: all. cpuset.mems.
  /// CPU time of the whole command, user and system together, of processes that have ended too: past it the ladder
  /// runs, reason `cpu_time`. Looked at by the helper, more often the nearer it is: passed by some milliseconds.
  std::optional<Nanoseconds> cpu_time{};

  [[nodiscard]] bool empty() const { return *this == Limits{}; }
  friend bool operator==(const Limits&, const Limits&) = default;
};

/// What is to be done about a limit that can't be had.
enum class LimitPolicy : std::uint8_t {
  required,     ///< An error by name: which controller, which file, what to change. Nothing is started.
  best_effort,  ///< Go on without it; `Ended::limits` says so.
};

/// What became of one limit that was asked for.
struct LimitOutcome {
  std::string limit;    ///< "memory_max".
  std::string value;    ///< "536870912", "1.5", "0,1": in the unit of Limits; cpu_time in nanoseconds.
  std::string by;       ///< "cgroup v2", "cgroup v1", "shepherd" (it watches); empty: it was not applied.
  std::string where;    ///< The controller's directory that holds the command's.
  std::string why_not;  ///< Where it was not applied: controller, file, and what to change.
  [[nodiscard]] bool applied() const noexcept { return !by.empty(); }
};

/// Each limit by name, and where it would be had for commands of this process, or why not. Makes a group of its own for
/// the question, and removes it; enables controllers as the first command with limits would. Any thread; it blocks
/// briefly.
[[nodiscard]] std::vector<LimitOutcome> available_limits();

}  // namespace netrunner
