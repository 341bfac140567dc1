#include "engine/daemon/quiet_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <system_error>
#include <thread>
#include <utility>

namespace netrunner::daemon {

Result<void> start_quiet_thread(std::function<void()> body) {
  // Blocked before it exists: a thread inherits the mask, and a signal might come before it could block anything.
  sigset_t all{}, before{};
  sigfillset(&all);
  (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
  Result<void> started;
  try {
    std::thread(std::move(body)).detach();
  } catch (const std::system_error& refused) {
    Error error = system_error("a thread for a daemon", Stage::none, refused.code().value());
    error.advice = "RLIMIT_NPROC, pids.max or kernel.threads-max is reached";
    started = std::unexpected(std::move(error));
  }
  (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

}  // namespace netrunner::daemon
