#include "engine/shepherd_link/launch.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "engine/os/descriptor.hpp"
#include "engine/os/unix_socket.hpp"

// The plain name is intercepted by ThreadSanitizer, which then forgets the host's threads.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...);

namespace netrunner::shepherd_link {
namespace {

constexpr std::size_t stack_bytes = 64 * 1024;
constexpr int treaty_descriptor = 3;
constexpr int program_descriptor = 4;
constexpr const char* uid_map_file = "/proc/self/uid_map";

/// What the go-between and the shepherd-to-be see of the host's memory: it waits for both.
struct Launch {
  int program = -1, socket = -1, null = -1;
  const char* path = nullptr;
  std::array<const char*, 2> environment{};
  rlimit descriptors{};
  bool standard_policy = false;
  int namespaces = 0;       ///< CLONE_NEW*.
  const char* call = nullptr;  ///< What failed, where it wasn't exec.
  char uid_map[64]{}, gid_map[64]{};
  std::byte* shepherd_stack_top = nullptr;
  int pidfd = -1;
  int failure = 0;
};

// Below, only plain system calls: nothing that allocates or locks, and nothing that a sanitizer intercepts or
// instruments, since its books are the host's memory too.
#define NR_UNINSTRUMENTED __attribute__((no_sanitize("address", "thread", "undefined")))

template <class... Arguments>
NR_UNINSTRUMENTED long call(long number, Arguments... arguments) {
  return ::syscall(number, arguments...);
}

[[noreturn]] NR_UNINSTRUMENTED void leave(int status) {
  for (;;) call(SYS_exit_group, status);
}

[[noreturn]] NR_UNINSTRUMENTED void fail(Launch& launch) {
  launch.failure = errno;
  leave(125);
}

[[nodiscard]] NR_UNINSTRUMENTED bool write_file(const char* path, const char* text) {
  const long fd = call(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  long bytes = 0;
  while (text[bytes] != '\0') ++bytes;
  const bool written = call(SYS_write, fd, text, bytes) == bytes;
  call(SYS_close, fd);
  return written;
}

/// Inside the new namespaces: whom we are in a user namespace, and a /proc that shows the new pids.
NR_UNINSTRUMENTED void settle_namespaces(Launch& launch) {
  if ((launch.namespaces & CLONE_NEWUSER) != 0) {
    launch.call = uid_map_file;
    const bool mapped = write_file("/proc/self/setgroups", "deny") && write_file(uid_map_file, launch.uid_map) &&
                        write_file("/proc/self/gid_map", launch.gid_map);
    if (!mapped) fail(launch);
  }
  launch.call = "mount of /proc";
  if (call(SYS_mount, "none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail(launch);
  if (call(SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) fail(launch);
  launch.call = nullptr;
}

/// In the shepherd-to-be, on the host's memory.
NR_UNINSTRUMENTED int become_shepherd(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  call(SYS_setsid);
  if (launch.namespaces != 0) settle_namespaces(launch);
  // Sources lie above 2, but perhaps on 3 or 4: move them out of the way first.
  const long socket = call(SYS_fcntl, launch.socket, F_DUPFD, program_descriptor + 1);
  const long program = call(SYS_fcntl, launch.program, F_DUPFD, program_descriptor + 1);
  if (socket < 0 || (launch.program >= 0 && program < 0)) fail(launch);
  for (const int standard : {0, 1, 2}) {
    if (call(SYS_dup3, launch.null, standard, 0) < 0) fail(launch);
  }
  if (call(SYS_dup3, socket, treaty_descriptor, 0) < 0) fail(launch);
  if (program >= 0 && call(SYS_dup3, program, program_descriptor, O_CLOEXEC) < 0) fail(launch);
  call(SYS_close_range, program_descriptor + 1, ~0U, 0);
  call(SYS_prlimit64, 0, RLIMIT_NOFILE, &launch.descriptors, nullptr);
  const sched_param none{};
  if (launch.standard_policy) call(SYS_sched_setscheduler, 0, SCHED_OTHER, &none);
  char name[] = "netrunner-shepherd";
  char* const arguments[] = {name, nullptr};
  auto* const environment = const_cast<char* const*>(launch.environment.data());
  if (launch.path != nullptr) {
    call(SYS_execve, launch.path, arguments, environment);
  } else {
    call(SYS_execveat, program_descriptor, "", arguments, environment, AT_EMPTY_PATH);
  }
  fail(launch);
}

/// In the go-between, which shares the host's memory and descriptors. It gives no SIGCHLD: its exit signal is none,
/// and only an exec would set one.
NR_UNINSTRUMENTED int go_between(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD | launch.namespaces;
  const int pid = ::__clone(become_shepherd, launch.shepherd_stack_top, flags, &launch, &launch.pidfd);
  if (pid < 0) {
    launch.failure = errno;
    launch.call = "clone of the shepherd";
  }
  leave(0);
}

class Stacks {
 public:
  Stacks() : memory_(::mmap(nullptr, 2 * stack_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0)) {}
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  ~Stacks() {
    if (there()) ::munmap(memory_, 2 * stack_bytes);
  }
  [[nodiscard]] bool there() const { return memory_ != MAP_FAILED; }
  [[nodiscard]] std::byte* first_top() const { return static_cast<std::byte*>(memory_) + stack_bytes; }
  [[nodiscard]] std::byte* second_top() const { return static_cast<std::byte*>(memory_) + 2 * stack_bytes; }

 private:
  void* memory_;
};

/// No handler of the host's may run on the memory that it shares for a moment.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

Result<os::UniqueFd> run(Launch& launch) {
  const Stacks stacks;
  if (!stacks.there()) return std::unexpected(system_error("mmap of a stack", Stage::clone));
  launch.shepherd_stack_top = stacks.second_top();
  const AllSignalsBlocked blocked;
  const int pid = ::__clone(go_between, stacks.first_top(), CLONE_VM | CLONE_VFORK | CLONE_FILES, &launch);
  if (pid < 0) return std::unexpected(system_error("clone of the shepherd", Stage::clone));
  while (::waitpid(pid, nullptr, static_cast<int>(__WCLONE)) < 0 && errno == EINTR) {
  }
  os::UniqueFd pidfd(launch.pidfd);
  if (launch.failure != 0) {
    const char* subject = launch.path == nullptr ? "the shepherd's memfd" : launch.path;
    if (launch.call != nullptr) subject = launch.call;
    return std::unexpected(system_error(subject, launch.call == nullptr ? Stage::exec : Stage::clone, launch.failure));
  }
  return os::moved_above_stdio(std::move(pidfd));
}

/// Next to the running program, where packagers put it.
std::string neighbour_path() {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::string() : (self.parent_path() / "netrunner-shepherd").string();
}

void ask_for_namespaces(Launch& launch) {
  launch.namespaces = CLONE_NEWPID | CLONE_NEWNS;
  if (::geteuid() == 0) return;
  // Without privileges a user namespace gives them, where the system allows one; we stay who we are in it.
  launch.namespaces |= CLONE_NEWUSER;
  std::snprintf(launch.uid_map, sizeof launch.uid_map, "%u %u 1", ::geteuid(), ::geteuid());
  std::snprintf(launch.gid_map, sizeof launch.gid_map, "%u %u 1", ::getegid(), ::getegid());
}

Error unavailable(Error error, const Launch& launch) {
  error.code = ErrorCode::shepherd_unavailable;
  if (launch.call == uid_map_file && error.sys_errno == EACCES && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1) {
    error.advice = "this process has changed its user without an exec since, so that its /proc/self is root's: exec "
                   "after the change, or let others look into it by prctl(PR_SET_DUMPABLE, 1), see prctl(2)";
  } else if (launch.call != nullptr && launch.namespaces != 0) {
    error.advice = "a PID namespace is not to be had here: run as root, or allow user namespaces "
                   "(kernel.unprivileged_userns_clone, user.max_user_namespaces), or use another containment";
  }
  if (error.advice.empty()) {
    error.advice = "where the sysctl vm.memfd_noexec or a policy forbids to execute a memfd, set "
                   "EngineOptions::shepherd_path to the file netrunner-shepherd";
  }
  return error;
}

}  // namespace

Result<Launched> launch(const LaunchOptions& options) {
  NR_TRY(pair, os::make_socket_pair());
  os::UniqueFd opened(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!opened) return std::unexpected(unavailable(system_error("/dev/null", Stage::open_file), {}));
  NR_TRY(null, os::moved_above_stdio(std::move(opened)));
  Launch launch;
  launch.socket = pair.theirs.get();
  launch.null = null.get();
  launch.descriptors = options.descriptors;
  launch.standard_policy = options.standard_policy;
  if (!options.asynchronous) launch.environment[0] = "NETRUNNER_SPAWN_PATH=vfork";
  if (options.pid_namespace) ask_for_namespaces(launch);
  std::string path = options.path;
  if (path.empty()) {
    const Result<int> program = options.image->program();
    if (program) {
      launch.program = *program;
      auto pidfd = run(launch);
      if (pidfd) return Launched{std::move(*pidfd), std::move(pair.ours)};
      if (launch.call != nullptr) return std::unexpected(unavailable(std::move(pidfd).error(), launch));
    }
    launch.program = -1;
    launch.failure = 0;
    path = neighbour_path();
  }
  launch.path = path.c_str();
  auto pidfd = run(launch);
  if (!pidfd) return std::unexpected(unavailable(std::move(pidfd).error(), launch));
  return Launched{std::move(*pidfd), std::move(pair.ours)};
}

}  // namespace netrunner::shepherd_link
