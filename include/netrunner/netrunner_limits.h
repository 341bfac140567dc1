/// Limits of a command, in C. Part of <netrunner/netrunner.h>, whose rules hold here.
#ifndef NETRUNNER_NETRUNNER_LIMITS_H
#define NETRUNNER_NETRUNNER_LIMITS_H

#include <netrunner/netrunner.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Limits of the whole command, descendants included; netrunner::Limits.
typedef enum nr_limit {
  NR_LIMIT_MEMORY_MAX,   ///< Bytes; NR_UNLIMITED for none, here and below. Past it: NR_REASON_OUT_OF_MEMORY.
  NR_LIMIT_MEMORY_HIGH,  ///< Bytes. cgroup v2 only, as the next two.
  NR_LIMIT_MEMORY_LOW,
  NR_LIMIT_MEMORY_MIN,
  NR_LIMIT_SWAP_MAX,     ///< Bytes; 0: no swap.
  NR_LIMIT_OOM_GROUP,    ///< 1: out of memory kills all of it. cgroup v2 only.
  NR_LIMIT_PIDS_MAX,     ///< Processes and threads, the leader included.
  NR_LIMIT_CPU_QUOTA,    ///< Thousandths of a CPU: 1500 is one and a half; 10 at least.
  NR_LIMIT_CPU_WEIGHT,   ///< 1 to 10000.
  NR_LIMIT_CPU_IDLE,     ///< 1: only where nothing else wants the CPU.
  NR_LIMIT_IO_WEIGHT,    ///< 1 to 10000.
  NR_LIMIT_CPU_TIME      ///< Nanoseconds of all its processes together. Past it: NR_REASON_CPU_TIME.
} nr_limit;
/// In place before its first instruction. One that can't be had here is the error of the start
/// (NR_LIMIT_UNAVAILABLE), unless best effort was asked for.
void nr_command_limit(nr_command* command, nr_limit limit, uint64_t value);
/// CPUs and NUMA nodes that its processes may use; a count of 0: all.
void nr_command_cpuset(nr_command* command, const int* cpus, size_t cpu_count, const int* nodes, size_t node_count);
void nr_command_limits_best_effort(nr_command* command);  ///< Go on without a limit that can't be had.

/// Changes one limit of the running command; NR_LIMIT_UNAVAILABLE where it was started without any of that controller.
/// Returns when the kernel has taken it; lowering NR_LIMIT_MEMORY_MAX may take long.
nr_code nr_process_set_limit(nr_process* process, nr_limit limit, uint64_t value, int64_t timeout_ns,
                             nr_error* error);
/// What the kernel has in force now; NR_NOT_FOUND where it has no such limit (or it is NR_LIMIT_CPU_TIME).
nr_code nr_process_limit(nr_process* process, nr_limit limit, int64_t timeout_ns, uint64_t* value, nr_error* error);

#ifdef __cplusplus
}
#endif

#endif
