#include "tools/netrunner/own_terminal.hpp"

#include <csignal>
#include <unistd.h>

namespace netrunner::tool {
namespace {

/// With the default action, which the kernel leaves out for an orphaned group.
void stop_as_the_driver_would() {
  sigset_t only, before;
  sigemptyset(&only);
  sigaddset(&only, SIGTTIN);
  (void)::pthread_sigmask(SIG_UNBLOCK, &only, &before);
  (void)::raise(SIGTTIN);
  (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

OwnTerminal::OwnTerminal() {
  termios modes{};
  if (::tcgetattr(STDIN_FILENO, &modes) == 0) found_ = modes;
}

std::optional<WindowSize> OwnTerminal::size() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const Result<WindowSize> size = window_size_of(fd);
    if (size && size->rows != 0 && size->columns != 0) return *size;
  }
  return std::nullopt;
}

bool OwnTerminal::is_ours() noexcept {
  const pid_t foreground = ::tcgetpgrp(STDIN_FILENO);
  return foreground < 0 || foreground == ::getpgrp();
}

Stdio own_input() { return OwnTerminal::is_ours() ? Stdio::inherit() : Stdio::null(); }

bool OwnTerminal::can_be_continued() noexcept {
  const pid_t parent = ::getppid();
  return ::getsid(parent) == ::getsid(0) && ::getpgid(parent) != ::getpgrp();
}

bool OwnTerminal::await_foreground() {
  while (!is_ours()) {
    if (!can_be_continued()) return false;
    stop_as_the_driver_would();
  }
  return true;
}

void OwnTerminal::make_raw() {
  const std::lock_guard guard(mutex_);
  if (!found_ || raw_ || !is_ours()) return;
  termios raw = *found_;
  ::cfmakeraw(&raw);
  raw_ = ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void OwnTerminal::restore() {
  const std::lock_guard guard(mutex_);
  if (!raw_) return;
  // Not TCSADRAIN: an output that stands still must not keep us here.
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &*found_);
  raw_ = false;
}

}  // namespace netrunner::tool
