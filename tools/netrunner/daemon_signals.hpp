#pragma once
/// What a signal to netrunner means for the daemon that it keeps.

#include <netrunner/daemon.hpp>

#include "tools/netrunner/daemon_options.hpp"

namespace netrunner::tool {

/// TERM, INT, QUIT: the ladder, the second time a kill. HUP: the log, or as TERM where there is none. USR1: restart.
/// USR2: the state, on stderr. TSTP: it is stopped, then we; CONT: it goes on. All others are passed on.
/// Thread: that of the signals.
class DaemonSignals {
 public:
  DaemonSignals(const Daemon& daemon, const DaemonFlags& flags) : daemon_(daemon), flags_(flags) {}
  void handle(int signal);

 private:
  void terminate(int signal);
  void print_state() const;
  void pass_on(int signal, Target target) const;

  const Daemon& daemon_;
  const DaemonFlags& flags_;
  bool terminating_ = false;
};

}  // namespace netrunner::tool
