#include "tools/netrunner/terminal_guard.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace netrunner::tool {
namespace {

/// In the guard. It is deaf to every signal but SIGKILL: those of the terminal are not meant for it, and one that is in
/// the background may change the terminal only with SIGTTOU blocked.
[[noreturn]] void guard(int ending, const termios& modes, pid_t group) {
  sigset_t all;
  sigfillset(&all);
  (void)::sigprocmask(SIG_BLOCK, &all, nullptr);
  (void)::setpgid(0, 0);
  (void)::dup2(ending, STDOUT_FILENO);
  (void)::syscall(SYS_close_range, STDERR_FILENO, ~0U, 0);
  char byte = 0;
  ssize_t told = 0;
  do {
    told = ::read(STDOUT_FILENO, &byte, 1);
  } while (told < 0 && errno == EINTR);
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  // A terminal that isn't our controlling one has no foreground group to ask for.
  if (told == 0 && (foreground == group || foreground < 0)) (void)::tcsetattr(STDIN_FILENO, TCSANOW, &modes);
  ::_exit(0);
}

}  // namespace

TerminalGuard::TerminalGuard(const termios& modes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  const pid_t group = ::getpgrp();
  pid_ = ::fork();
  if (pid_ == 0) {
    (void)::close(ends[1]);
    guard(ends[0], modes, group);
  }
  (void)::close(ends[0]);
  alive_ = ends[1];
}

TerminalGuard::~TerminalGuard() {
  if (alive_ >= 0) {
    (void)!::write(alive_, "", 1);  // "All is well."
    (void)::close(alive_);
  }
  if (pid_ > 0) (void)::waitpid(pid_, nullptr, 0);
}

}  // namespace netrunner::tool
