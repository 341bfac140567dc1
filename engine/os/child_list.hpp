#pragma once
/// The children of a process, by /proc (CONFIG_PROC_CHILDREN). No heap: the shepherd uses it too.

#include <sys/types.h>

namespace netrunner::os {

/// Calls `visit` with each child of `parent`, of all its threads. False: they can't be listed. A number may be stale at
/// once, unless the process is an unreaped child of ours.
bool each_child(pid_t parent, void* context, void (*visit)(void* context, pid_t child)) noexcept;
/// The same of one of its threads.
bool each_child_of_thread(pid_t parent, pid_t thread, void* context,
                          void (*visit)(void* context, pid_t child)) noexcept;

}  // namespace netrunner::os
