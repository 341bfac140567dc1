#pragma once
/// How a command's processes are known where there is no cgroup to tell. No heap: the shepherd uses it too.

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

namespace netrunner::os {

/// Carried twice by each process of a command. In its environment, which a program may clear; and in a resource limit
/// that the kernel keeps and hands on through fork and exec but has not used since Linux 2.4.25 (RLIMIT_LOCKS, see
/// getrlimit(2)): setsid(2) and a cleared environment leave it as it is, only a privileged process can raise it again,
/// a zombie still shows it, and it is read within a microsecond, a tenth of what the environment takes.
struct CommandMark {
  std::uint64_t shepherd = 0;  ///< Unique among all shepherds of this boot, at most `shepherd_mark_max`.
  std::uint32_t slot = 0, generation = 0;
  friend bool operator==(const CommandMark&, const CommandMark&) = default;
};
/// Bit 62 of the limit says that it is a mark; below it lies the shepherd.
inline constexpr std::uint64_t shepherd_mark_max = (std::uint64_t{1} << 62) - 1;

/// "NETRUNNER_COMMAND=<shepherd>.<slot>.<generation>", hexadecimal.
inline constexpr std::size_t mark_bytes_max = 64;
void write_mark(const CommandMark& mark, char (&text)[mark_bytes_max]) noexcept;

/// As prlimit64(2) takes it; the shepherd in the hard limit, the command in the soft one.
struct LimitMark {
  std::uint64_t soft = 0, hard = 0;
};
[[nodiscard]] LimitMark as_limit(const CommandMark& mark) noexcept;
/// Whether our children may be marked so: the limit of this process is infinite, as it is unless somebody set it. A
/// netrunner that runs below another one leaves the outer mark alone: the outer shepherd needs it.
[[nodiscard]] bool limit_is_free() noexcept;

/// False: the process is gone, may not be looked at, or has no such mark.
[[nodiscard]] bool limit_mark_of(pid_t pid, CommandMark& mark) noexcept;
[[nodiscard]] bool environment_mark_of(pid_t pid, CommandMark& mark) noexcept;
/// False for a process in the middle of exec, for one that was given none, and for one that may not be looked at.
[[nodiscard]] bool has_environment(pid_t pid) noexcept;

}  // namespace netrunner::os
