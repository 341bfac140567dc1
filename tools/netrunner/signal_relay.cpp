#include "tools/netrunner/signal_relay.hpp"

#include <chrono>
#include <csignal>
#include <string>
#include <unistd.h>
#include <utility>

#include <netrunner/blocking.hpp>

#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/signal_thread.hpp"

namespace netrunner::tool {

KillLadder ladder_for(int signal, const KillLadder& ladder) {
  const std::vector<Rung>& rungs = ladder.rungs();
  if (signal == SIGTERM || rungs.empty() || rungs.size() == KillLadder::rungs_max ||
      (rungs.front().command.empty() && rungs.front().signal == signal)) {
    return ladder;
  }
  std::vector<Rung> longer{{signal, Target::group, rungs.front().pause}};
  longer.insert(longer.end(), rungs.begin(), rungs.end());
  return KillLadder::of(std::move(longer));
}

void SignalRelay::attach(const std::vector<Process*>& commands) {
  const std::lock_guard guard(mutex_);
  commands_ = commands;
  phase_ = Phase::running;
  for (const int signal : std::exchange(early_, {})) act_on(signal);
}

void SignalRelay::detach() {
  const std::lock_guard guard(mutex_);
  commands_.clear();
  phase_ = Phase::output_left;
}

void SignalRelay::finish() {
  const std::lock_guard guard(mutex_);
  phase_ = Phase::over;
}

int SignalRelay::termination() const {
  const std::lock_guard guard(mutex_);
  return termination_;
}

void SignalRelay::handle(int signal) {
  constexpr std::size_t early_max = 64;
  const std::lock_guard guard(mutex_);
  if (is_termination(signal)) {
    terminate(signal);
  } else if (phase_ != Phase::starting) {
    act_on(signal);
  } else if (early_.size() < early_max) {
    early_.push_back(signal);  // The command may run already; it gets this as soon as we know it.
  }
}

void SignalRelay::act_on(int signal) {
  if (is_terminal_stop(signal)) {
    stop_and_wait();
  } else if (signal == SIGWINCH && terminal_ != nullptr) {
    if (!commands_.empty()) terminal_->window_changed();
  } else {
    if (signal == SIGCONT && terminal_ != nullptr && !commands_.empty()) terminal_->after_continue();
    const bool concerns_all = signal == SIGCONT || signal == SIGWINCH;
    pass_on(signal, concerns_all ? Target::group : Target::leader);
  }
}

void SignalRelay::terminate(int signal) {
  if (phase_ == Phase::over) return;
  // Somebody doesn't read what we write, and we are asked to go.
  if (phase_ == Phase::output_left) {
    if (terminal_ != nullptr) terminal_->before_stop();
    leave_at_once(signal_base + signal);
  }
  const bool again = termination_ != 0;
  if (!again) termination_ = signal;
  if (phase_ == Phase::starting) {
    before_start_.request_stop();
    return;
  }
  for (const Process* command : commands_) {
    if (again) {
      command->kill();
    } else {
      command->stop(ladder_for(signal, ladder_));
    }
  }
}

/// The commands have a session without a terminal, where the kernel drops TSTP: STOP does what the user wants.
void SignalRelay::stop_and_wait() {
  pass_on(SIGSTOP, Target::group);
  if (terminal_ != nullptr) terminal_->before_stop();
  (void)::kill(::getpid(), SIGSTOP);
}

void SignalRelay::pass_on(int signal, Target target) {
  constexpr auto answer_max = std::chrono::seconds(1);
  for (Process* command : commands_) {
    // A command that has just ended has nothing to be told.
    [[maybe_unused]] const Result<void> sent =
        blocking::get(command->signal(signal, target), Deadline::after(answer_max));
  }
}

}  // namespace netrunner::tool
