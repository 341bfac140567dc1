#include "shepherd/reach.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "shepherd/reaper.hpp"

namespace netrunner::shepherd {
namespace {

constexpr unsigned int pidfd_signal_process_group = 1U << 2;  // Linux 6.9.

int failure_of(long result) { return result == 0 ? 0 : errno; }

}  // namespace

bool groups_by_pidfd() noexcept {
  static const bool can = [] {
    const auto self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
    if (self < 0) return false;
    // We are the leader of our group, or we aren't and it is ESRCH: only EINVAL says that the flag is unknown.
    const bool known = ::syscall(SYS_pidfd_send_signal, self, 0, nullptr, pidfd_signal_process_group) == 0 ||
                       errno == ESRCH || errno == EPERM;
    ::close(self);
    return known;
  }();
  return can;
}

os::UniqueFd pin_group(pid_t leader) noexcept {
  if (!groups_by_pidfd()) return {};
  return os::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, leader, 0)));
}

int signal_stray_group(pid_t group, int pidfd, int signal) noexcept {
  if (pidfd >= 0 && groups_by_pidfd()) {
    return failure_of(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, pidfd_signal_process_group));
  }
  if (any_dead_in(group) < 0) return ESRCH;
  return failure_of(::kill(-group, signal));
}

int signal_group(const Child& child, int signal) noexcept {
  if (child.leader_unreaped) return failure_of(::kill(-child.pid, signal));
  return signal_stray_group(child.pid, child.group_pidfd.get(), signal);
}

Reach reach(const Child& child, std::uint32_t target) noexcept {
  const bool only_leader = target == static_cast<std::uint32_t>(wire::WireTarget::leader) || child.joined;
  return {only_leader || target == static_cast<std::uint32_t>(wire::WireTarget::everything), !only_leader};
}

int send_signal(const Child& child, std::uint32_t target, int signal) noexcept {
  Reach whom = reach(child, target);
  int failure = ESRCH;
  if (whom.group) {
    failure = signal_group(child, signal);
    // It is on its way to making the group, or has left it.
    if (failure == ESRCH) whom.leader = true;
    // SIGKILL to everything has reached the leader with its group; another signal must not come twice.
    if (failure == 0 && signal != SIGKILL) whom.leader = false;
  }
  if (whom.leader && child.leader_unreaped) {
    const int alone = failure_of(::kill(child.pid, signal));
    if (alone == 0 || !whom.group) failure = alone;
  }
  return failure;
}

}  // namespace netrunner::shepherd
