#pragma once
/// A process that can't be mistaken for another: pidfd_open(2), pidfd_send_signal(2). Linux 5.3.

#include <sys/types.h>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

/// ESRCH where the process is gone; the kernel's EINVAL for one that was reaped just now is ESRCH here too.
[[nodiscard]] Result<UniqueFd> open_pidfd(pid_t pid);
/// 0, or the errno: ESRCH once it has been reaped, EPERM where it isn't ours to signal.
[[nodiscard]] int signal_pidfd(int pidfd, int signal) noexcept;
/// The process group of that number, while a process is in it, its leader reaped or not: PIDFD_SIGNAL_PROCESS_GROUP,
/// Linux 6.9. 0 or the errno: ESRCH where nobody is, EINVAL from older kernels.
[[nodiscard]] int signal_group_of(int pidfd, int signal) noexcept;
/// The process id as our own PID namespace has it, from /proc/self/fdinfo; 0 once it has been reaped.
[[nodiscard]] pid_t pid_of(int pidfd) noexcept;
/// True once the process has ended (a zombie too).
[[nodiscard]] bool has_ended(int pidfd) noexcept;

}  // namespace netrunner::os
