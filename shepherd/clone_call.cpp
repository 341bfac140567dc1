#include "shepherd/clone_call.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "shepherd/raw_syscall.hpp"

namespace netrunner::shepherd {
namespace {

struct Start {
  void (*function)(void*);
  void* argument;
  int pidfd = -1;
  SpawnPlace* place;
  std::uint64_t flags;  ///< Without those of the waiting.
  int cgroup;
};

void* stack_top(SpawnPlace& place) { return place.stack.data() + place.stack.size(); }

raw::Word by_clone3(Start& start) {
  clone_args arguments{};
  arguments.flags = start.flags | CLONE_CLEAR_SIGHAND;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(&start.pidfd);
  arguments.child_tid = reinterpret_cast<std::uint64_t>(&start.place->tid_word);
  arguments.exit_signal = SIGCHLD;
  if (start.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(start.cgroup);
  }
  arguments.stack = reinterpret_cast<std::uint64_t>(start.place->stack.data());
  arguments.stack_size = start.place->stack.size();
  return raw::clone_call(SYS_clone3, raw::word(&arguments), raw::word(sizeof arguments), 0, 0, 0, start.function,
                         start.argument);
}

// No CLONE_CLEAR_SIGHAND fits its flags; the shepherd has no handlers that could run in the child.
raw::Word by_clone(Start& start) {
  const raw::Word flags = raw::word(start.flags | SIGCHLD);
  const raw::Word stack = raw::word(stack_top(*start.place));
  const raw::Word pidfd = raw::word(&start.pidfd);
  const raw::Word tid = raw::word(const_cast<std::uint32_t*>(&start.place->tid_word));
#if defined(__x86_64__)
  return raw::clone_call(SYS_clone, flags, stack, pidfd, tid, 0, start.function, start.argument);
#else
  return raw::clone_call(SYS_clone, flags, stack, pidfd, 0, tid, start.function, start.argument);
#endif
}

// The child has a copy of the memory, so the kernel clears nothing: a pipe that closes at exec tells instead.
// The places are shared memory, its report arrives all the same.
raw::Word by_fork(Start& start) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return -errno;
  // Above every number that a command may ask for: else the child would put a descriptor of its own in its place.
  const int above = ::fcntl(ends[1], F_DUPFD_CLOEXEC, static_cast<int>(wire::action_number_max) + 1);
  if (above >= 0) ::close(std::exchange(ends[1], above));
  start.flags = CLONE_PIDFD;
  const raw::Word pid = by_clone(start);
  const int failure = static_cast<int>(-pid);
  ::close(ends[1]);
  char byte;
  if (pid > 0) {
    while (::read(ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    start.place->tid_word = 0;
  }
  ::close(ends[0]);
  return pid > 0 ? pid : -failure;
}

void say_hello(void* argument) {
  static_cast<SpawnPlace*>(argument)->job.report.index = 1;
  raw::exit_now(0);
}

}  // namespace

CloneResult clone_child(CloneWay way, SpawnPlace& place, void (*function)(void*), void* argument) {
  Start start{function, argument, -1, &place, CLONE_PIDFD, way.cgroup};
  if (way.memory == Memory::shepherds) start.flags |= CLONE_VM | CLONE_CHILD_CLEARTID;
  if (way.wait == Wait::until_exec) start.flags |= CLONE_VFORK;
  place.tid_word = 1;
  raw::Word result = 0;
  switch (way.call) {
    case wire::CloneCall::clone3: result = by_clone3(start); break;
    case wire::CloneCall::clone: result = by_clone(start); break;
    case wire::CloneCall::fork: result = by_fork(start); break;
  }
  // No memory is shared, so the kernel clears nothing; but it has let us go only now.
  if (way.memory == Memory::own && way.wait == Wait::until_exec) place.tid_word = 0;
  CloneResult cloned;
  if (result < 0) {
    cloned.sys_errno = static_cast<int>(-result);
  } else {
    cloned.pid = static_cast<pid_t>(result);
    cloned.pidfd = os::UniqueFd(start.pidfd);
  }
  return cloned;
}

int try_cgroup(SpawnPlace& place, int cgroup) {
  place.job.report.index = 0;
  const CloneResult cloned = clone_child(
      {.call = wire::CloneCall::clone3, .wait = Wait::until_exec, .memory = Memory::shepherds, .cgroup = cgroup},
      place, say_hello, &place);
  if (cloned.pid < 0) return cloned.sys_errno;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(cloned.pid), &info, WEXITED) != 0) return errno;
  return place.job.report.index == 1 ? 0 : EOWNERDEAD;
}

bool find_clone_call(SpawnPlace& place, wire::CloneCall& call) {
  // Asked without arguments it starts nothing, and says EINVAL where it is there and allowed: filters can't look at its
  // flags, and a kernel with rings as ours has them all. A process for the question costs a fifth of a millisecond.
  if (raw::call(SYS_clone3, nullptr, 0) == -EINVAL) {
    call = wire::CloneCall::clone3;
    return true;
  }
  for (const auto candidate : {wire::CloneCall::clone, wire::CloneCall::fork}) {
    place.job.report.index = 0;
    const CloneResult cloned = clone_child({.call = candidate, .wait = Wait::until_exec}, place, say_hello, &place);
    if (cloned.pid < 0) continue;
    siginfo_t info{};
    const bool reaped = ::waitid(P_PID, static_cast<id_t>(cloned.pid), &info, WEXITED) == 0;
    if (!reaped || !cloned.pidfd || place.job.report.index != 1 || place.tid_word != 0) continue;
    call = candidate;
    return true;
  }
  return false;
}

}  // namespace netrunner::shepherd
