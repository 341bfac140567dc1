/// netrunner-shepherd: the only parent of a shard's commands. Started by the library with the treaty socket as
/// descriptor 3, /dev/null as 0, 1 and 2, and no argument. Not for people.
/// Exit status: 0 all gone, 2 not started by the library, 3 no io_uring or no memory, 4 something could not be killed.

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "shepherd/limits.hpp"
#include "shepherd/raw_syscall.hpp"
#include "shepherd/region.hpp"
#include "shepherd/shepherd.hpp"

namespace {

constexpr int treaty_descriptor = 3;

bool is_socket(int fd) {
  int type = 0;
  socklen_t bytes = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_SEQPACKET;
}

// Children inherit what is ignored (CLONE_CLEAR_SIGHAND leaves that), so nothing may be: asked for by the raw call,
// because libc keeps two real-time signals for itself. All are blocked for good: those that matter come by signalfd.
void reset_signals() {
  struct KernelAction {
    void* handler;
    unsigned long flags;
    void* restorer;
    std::uint64_t mask;
  };
  const KernelAction standard{};
  const std::uint64_t all = ~std::uint64_t{0};
  namespace raw = netrunner::shepherd::raw;
  for (int signal = 1; signal <= 64; ++signal) {
    (void)raw::call(SYS_rt_sigaction, signal, &standard, nullptr, sizeof all);
  }
  (void)raw::call(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
}

rlimit raise_descriptors() {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit raised{before.rlim_max, before.rlim_max};
  (void)::setrlimit(RLIMIT_NOFILE, &raised);
  return before;
}

netrunner::shepherd::Spawner::Way wanted_way() {
  using Way = netrunner::shepherd::Spawner::Way;
  const char* path = std::getenv("NETRUNNER_SPAWN_PATH");
  if (path != nullptr && std::strcmp(path, "vfork") == 0) return Way::vfork;
  return path != nullptr && std::strcmp(path, "pipe") == 0 ? Way::pipe : Way::futex;
}

[[noreturn]] void run(void*) {
  using namespace netrunner;
  const rlimit descriptors = raise_descriptors();
  auto ring = ring::Ring::open({shepherd::submission_entries, shepherd::completion_entries});
  if (!ring) ::_exit(3);
  shepherd::Shepherd::Options options;
  options.treaty = os::UniqueFd(treaty_descriptor);
  options.spawner.way = wanted_way();
  options.spawner.descriptors_soft_max = descriptors.rlim_cur;
  options.spawner.descriptors_hard_max = descriptors.rlim_max;
  // Never destroyed: its operations are in flight until the kernel closes the ring with the process.
  auto* shepherd = new shepherd::Shepherd(std::move(*ring), std::move(options));
  if (!shepherd->open()) ::_exit(3);
  ::_exit(shepherd->run());
}

/// The kernel keeps a list of children for each thread, and gives orphans to the first one. That one does nothing but
/// have them: what `run` starts are the other thread's, so that a look at the orphans costs nothing for the commands
/// that run. No libc knows of it: the first one's thread-local storage is the other's, and it stays in its system call.
/// Where no thread can be had, one does both, and looks take longer.
[[noreturn]] void run_apart_from_orphans() {
  namespace raw = netrunner::shepherd::raw;
  constexpr std::size_t guard_bytes = 4096;
  netrunner::shepherd::Region<std::byte> stack;
  if (!stack.open(netrunner::shepherd::own_stack_bytes)) run(nullptr);
  (void)::mprotect(stack.data(), guard_bytes, PROT_NONE);
  constexpr auto flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
  void* const top = stack.data() + stack.size();
  if (raw::clone_call(SYS_clone, flags, raw::word(top), 0, 0, 0, run, nullptr) < 0) run(nullptr);
  for (;;) (void)raw::call(SYS_ppoll, nullptr, 0, nullptr, nullptr);
}

}  // namespace

int main() {
  if (!is_socket(treaty_descriptor)) return 2;
  reset_signals();
  (void)::setsid();
  (void)::syscall(SYS_close_range, treaty_descriptor + 1, ~0U, 0);
  (void)::fcntl(treaty_descriptor, F_SETFD, FD_CLOEXEC);
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  (void)::prctl(PR_SET_NAME, "nr-shepherd", 0, 0, 0);
  run_apart_from_orphans();
}
