#include "engine/os/signal_mask.hpp"

#include <ctime>

namespace netrunner::os {
namespace {

sigset_t broken_pipe_only() noexcept {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPIPE);
  return set;
}

bool is_pending() noexcept {
  sigset_t pending;
  ::sigpending(&pending);
  return ::sigismember(&pending, SIGPIPE) == 1;
}

}  // namespace

void block_all_signals() noexcept {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

NoBrokenPipeSignal::NoBrokenPipeSignal() noexcept : was_pending_(is_pending()) {
  const sigset_t set = broken_pipe_only();
  ::pthread_sigmask(SIG_BLOCK, &set, &before_);
}

NoBrokenPipeSignal::~NoBrokenPipeSignal() {
  if (!was_pending_ && is_pending()) {
    const sigset_t set = broken_pipe_only();
    const timespec now{};
    (void)::sigtimedwait(&set, nullptr, &now);
  }
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

}  // namespace netrunner::os
