#include "shepherd/child_side.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "shepherd/child_steps.hpp"

namespace netrunner::shepherd {
namespace {

using wire::SpawnFlag;

bool has(const ChildJob& job, SpawnFlag flag) { return (job.fixed->flags & flag) != 0; }

// First of all: a ladder that is asked for while this child is still on its way must find its group.
void join_its_group(ChildJob& job) {
  if (has(job, wire::own_session)) {
    enter(job, Stage::session);
    must(job, raw::call(SYS_setsid));
    return;
  }
  enter(job, Stage::group);
  must(job, raw::call(SYS_setpgid, 0, has(job, wire::join_group) ? job.fixed->join_group : 0));
}

// The kernel makes the session's first group, which is ours, the foreground group with it; see TIOCSCTTY in
// ioctl_tty(2). 0: never taken from another session.
void take_terminal(ChildJob& job) {
  if (!has(job, wire::controlling_terminal)) return;
  enter(job, Stage::terminal);
  must(job, raw::call(SYS_ioctl, job.fixed->terminal, TIOCSCTTY, 0));
}

// Groups of v1: a process is born in its parent's, so it moves itself, and the shepherd never has to be inside.
void join_limit_groups(ChildJob& job) {
  for (std::size_t i = 0; i < os::hierarchies; ++i) {
    if (job.joined[i] < 0) continue;
    static const char file[] = "cgroup.procs";
    static const char self[] = "0";
    enter(job, Stage::cgroup);
    must(job, raw::call(SYS_write, job.joined[i], self, sizeof self - 1), file, wire::no_group);
  }
}

// The host's directory comes before the files (their paths are relative to it), the command's after them.
void enter_host_directory(ChildJob& job) {
  if (!has(job, wire::cwd_attached)) return;
  enter(job, Stage::cwd);
  must(job, raw::call(SYS_fchdir, job.cwd_descriptor));
}

void enter_own_directory(ChildJob& job) {
  if (job.cwd == nullptr) return;
  enter(job, Stage::cwd);
  must(job, raw::call(SYS_chdir, job.cwd), job.cwd);
}

struct KernelLimit {
  std::uint64_t soft, hard;
};

void set_limits(ChildJob& job) {
  enter(job, Stage::rlimit);
  const KernelLimit before{job.descriptors_soft_max, job.descriptors_hard_max};
  must(job, raw::call(SYS_prlimit64, 0, static_cast<int>(RLIMIT_NOFILE), &before, nullptr), nullptr, job.limits.size());
  // Refused, there is the mark in the environment.
  if (job.limit_mark.hard != 0) {
    (void)raw::call(SYS_prlimit64, 0, static_cast<int>(RLIMIT_LOCKS), &job.limit_mark, nullptr);
  }
  for (std::size_t i = 0; i < job.limits.size(); ++i) {
    const KernelLimit limit{job.limits[i].soft, job.limits[i].hard};
    must(job, raw::call(SYS_prlimit64, 0, job.limits[i].resource, &limit, nullptr), nullptr, i);
  }
}

void set_oom_score(ChildJob& job) {
  if (!has(job, wire::has_oom_score)) return;
  enter(job, Stage::oom_score);
  static const char file[] = "/proc/self/oom_score_adj";
  char text[16];
  std::size_t at = sizeof text;
  const std::int32_t value = job.fixed->oom_score_adj;
  std::uint32_t rest = value < 0 ? 0U - static_cast<std::uint32_t>(value) : static_cast<std::uint32_t>(value);
  do {
    text[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  if (value < 0) text[--at] = '-';
  const auto fd = static_cast<int>(must(job, raw::call(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CLOEXEC), file));
  must(job, raw::call(SYS_write, fd, text + at, sizeof text - at), file);
  (void)raw::call(SYS_close, fd);
}

void set_affinity(ChildJob& job) {
  if (job.cpus.empty()) return;
  enter(job, Stage::affinity);
  std::uint64_t mask[wire::cpus_max / 64];
  for (std::uint64_t& word : mask) *const_cast<volatile std::uint64_t*>(&word) = 0;  // Not memset: that is libc's.
  for (std::size_t i = 0; i < job.cpus.size(); ++i) {
    if (job.cpus[i] >= wire::cpus_max) fail(job, -EINVAL, nullptr, i);
    mask[job.cpus[i] / 64] |= std::uint64_t{1} << (job.cpus[i] % 64);
  }
  must(job, raw::call(SYS_sched_setaffinity, 0, sizeof mask, mask));
}

// After the credentials: setuid(2) and capset(2) clear it, see prctl(2). The shepherd may have died just before it was
// set.
void die_with_shepherd(ChildJob& job) {
  enter(job, Stage::parent_death);
  must(job, raw::call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  if (raw::call(SYS_getppid) != job.shepherd_pid) raw::exit_now(127);
}

void unblock_signals(ChildJob& job) {
  const std::uint64_t none = 0;
  must(job, raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none));
}

}  // namespace

void run_child(void* argument) {
  ChildJob& job = *static_cast<ChildJob*>(argument);
  join_its_group(job);
  join_limit_groups(job);
  enter_host_directory(job);
  place_descriptors(job);
  take_terminal(job);
  enter_own_directory(job);
  if (has(job, wire::has_umask)) {
    enter(job, Stage::umask);
    (void)raw::call(SYS_umask, job.fixed->umask);
  }
  if (has(job, wire::has_nice)) {
    enter(job, Stage::nice);
    must(job, raw::call(SYS_setpriority, static_cast<int>(PRIO_PROCESS), 0, job.fixed->nice));
  }
  set_oom_score(job);
  set_limits(job);
  set_affinity(job);
  become_user(job);
  die_with_shepherd(job);
  if (has(job, wire::set_no_new_privs)) {
    enter(job, Stage::no_new_privs);
    must(job, raw::call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  }
  enter(job, Stage::exec);
  unblock_signals(job);
  execute(job);
}

}  // namespace netrunner::shepherd
