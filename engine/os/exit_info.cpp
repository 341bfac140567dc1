#include "engine/os/exit_info.hpp"

#include <sys/ioctl.h>
#include <sys/wait.h>

#include <cerrno>

namespace netrunner::os {
namespace {

constexpr auto id_is_pidfd = static_cast<idtype_t>(3);  // P_PIDFD, Linux 5.4.

/// struct pidfd_info of linux/pidfd.h as Linux 6.15 has it: the headers of older systems don't.
struct PidfdInfo {
  std::uint64_t mask, cgroup_id;
  std::uint32_t ids[11];
  std::int32_t exit_code;
};
static_assert(sizeof(PidfdInfo) == 64);
constexpr unsigned long pidfd_get_info = _IOWR(0xFF, 11, PidfdInfo);
constexpr std::uint64_t info_exit = 1U << 3;

ExitInfo from_wait_status(int status) {
  if (WIFEXITED(status)) return {CLD_EXITED, WEXITSTATUS(status)};
  return {WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED, WTERMSIG(status)};
}

}  // namespace

ExitKnowledge exit_of(int pidfd, ExitInfo& info) noexcept {
  siginfo_t child{};
  if (::waitid(id_is_pidfd, static_cast<id_t>(pidfd), &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid != 0) {
    info = {child.si_code, child.si_status};
    return ExitKnowledge::known;
  }
  PidfdInfo asked{};
  asked.mask = info_exit;
  if (::ioctl(pidfd, pidfd_get_info, &asked) != 0) {
    return errno == ESRCH ? ExitKnowledge::not_yet : ExitKnowledge::never;
  }
  if ((asked.mask & info_exit) == 0) return ExitKnowledge::not_yet;
  info = from_wait_status(asked.exit_code);
  return ExitKnowledge::known;
}

}  // namespace netrunner::os
