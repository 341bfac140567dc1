#include "tools/netrunner/daemon_signals.hpp"

#include <csignal>
#include <unistd.h>

#include <netrunner/blocking.hpp>

#include "tools/netrunner/daemon_report.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/process_identity.hpp"
#include "tools/netrunner/signal_relay.hpp"
#include "tools/netrunner/signal_thread.hpp"

namespace netrunner::tool {

void DaemonSignals::handle(int signal) {
  if (signal == SIGHUP && flags_.has_log()) {
    daemon_.reopen_log();
  } else if (is_termination(signal)) {
    terminate(signal);
  } else if (signal == SIGUSR1) {
    daemon_.restart();
  } else if (signal == SIGUSR2) {
    print_state();
  } else if (is_terminal_stop(signal)) {
    // Its session has no terminal, and there the kernel drops TSTP.
    pass_on(SIGSTOP, Target::group);
    (void)::kill(::getpid(), SIGSTOP);
  } else {
    pass_on(signal, signal == SIGCONT || signal == SIGWINCH ? Target::group : Target::leader);
  }
}

void DaemonSignals::terminate(int signal) {
  if (std::exchange(terminating_, true)) {
    daemon_.kill();
  } else {
    daemon_.stop(ladder_for(signal, flags_.ladder()));
  }
}

void DaemonSignals::print_state() const {
  const DaemonStatus status = daemon_.status();
  print_error(json_of(own_identity(), status.instances, &status.log));
}

void DaemonSignals::pass_on(int signal, Target target) const {
  const std::size_t instances = daemon_.status().instances.size();
  for (std::uint32_t i = 0; i < instances; ++i) {
    // One that doesn't run has nothing to be told.
    [[maybe_unused]] const Result<void> sent = blocking::get(daemon_.signal(signal, target, i));
  }
}

}  // namespace netrunner::tool
