#pragma once
/// Whatever kills netrunner, SIGKILL too: the user's terminal is not left raw.

#include <sys/types.h>
#include <termios.h>

namespace netrunner::tool {

/// A forked process that does nothing but wait for our end, and then gives the terminal its modes back, unless we had
/// done so or a shell has taken it over. It ends with us, or with this object. Start it before any thread.
class TerminalGuard {
 public:
  /// Of standard input. Without a process for it (limits) there is no guard: the run is worth more.
  explicit TerminalGuard(const termios& modes);
  ~TerminalGuard();  ///< The terminal has its modes back.
  TerminalGuard(const TerminalGuard&) = delete;
  TerminalGuard& operator=(const TerminalGuard&) = delete;

 private:
  pid_t pid_ = -1;
  int alive_ = -1;  ///< The end of a pipe that closes with us, however we end.
};

}  // namespace netrunner::tool
