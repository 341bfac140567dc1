#include "shepherd/reaper.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace netrunner::shepherd {
namespace {

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

pid_t dead_one(idtype_t kind, pid_t id) {
  siginfo_t info{};
  if (::waitid(kind, static_cast<id_t>(id), &info, WEXITED | WNOHANG | WNOWAIT) != 0) return -1;
  return info.si_pid;
}

}  // namespace

Death reap(pid_t pid) noexcept {
  siginfo_t info{};
  rusage usage{};
  // The system call gives the usage too; the C library's waitid(2) hides it.
  if (::syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG, &usage) != 0 || info.si_pid != pid) return {};
  return {true,
          info.si_code,
          info.si_status,
          microseconds(usage.ru_utime),
          microseconds(usage.ru_stime),
          static_cast<std::uint64_t>(usage.ru_maxrss)};
}

pid_t any_dead() noexcept { return dead_one(P_ALL, 0); }
pid_t any_dead_in(pid_t group) noexcept { return dead_one(P_PGID, group); }
bool is_unreaped(pid_t pid) noexcept { return dead_one(P_PID, pid) >= 0; }
bool has_died(pid_t pid) noexcept { return dead_one(P_PID, pid) == pid; }

}  // namespace netrunner::shepherd
