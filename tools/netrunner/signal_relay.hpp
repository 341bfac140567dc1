#pragma once
/// What a signal to netrunner means for the commands that it runs.

#include <cstdint>
#include <mutex>
#include <stop_token>
#include <vector>

#include <netrunner/kill_ladder.hpp>
#include <netrunner/process.hpp>

#include "tools/netrunner/terminal_session.hpp"

namespace netrunner::tool {

/// The ladder with `signal` before its own rungs: who sends INT wants INT tried first, with the same patience.
[[nodiscard]] KillLadder ladder_for(int signal, const KillLadder& ladder);

/// HUP, INT, QUIT, TERM: the ladder, the second time a kill at once. TSTP, TTIN, TTOU: the commands are stopped, then
/// we. CONT: they go on. WINCH: the size of the command's terminal, where it has one. All others are passed on to each
/// command.
/// Thread: handle() in that of the signals, the rest in the subcommand's.
class SignalRelay {
 public:
  explicit SignalRelay(KillLadder ladder) : ladder_(std::move(ladder)) {}

  void handle(int signal);
  /// The command has a terminal that is connected to ours. Before attach; it must stay until detach().
  void use_terminal(TerminalSession* terminal) { terminal_ = terminal; }
  /// For the start: a termination that comes before the commands are attached stops them through it.
  [[nodiscard]] std::stop_token before_start() const { return before_start_.get_token(); }
  /// From now on signals reach them. They must stay where they are until detach().
  void attach(const std::vector<Process*>& commands);
  /// From now on none does: the commands are gone, and only their output may still be on its way. A termination ends
  /// netrunner at once.
  void detach();
  /// The output is out too: nothing is left that a termination could end.
  void finish();
  /// The first termination that came, or 0.
  [[nodiscard]] int termination() const;

 private:
  enum class Phase : std::uint8_t { starting, running, output_left, over };

  void terminate(int signal);
  void act_on(int signal);
  void stop_and_wait();
  void pass_on(int signal, Target target);

  mutable std::mutex mutex_;
  Phase phase_ = Phase::starting;
  KillLadder ladder_;
  std::vector<Process*> commands_;
  TerminalSession* terminal_ = nullptr;
  std::vector<int> early_;  ///< Came before attach().
  int termination_ = 0;
  std::stop_source before_start_;
};

}  // namespace netrunner::tool
