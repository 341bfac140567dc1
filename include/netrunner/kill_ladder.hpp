#pragma once
/// How a command is stopped: a list of signals, to whom, or of commands, with pauses between. Data, not code.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netrunner/deadline.hpp>
#include <netrunner/error.hpp>

namespace netrunner {

/// Who gets a signal.
enum class Target : std::uint8_t {
  leader,      ///< The process that was started, by pidfd.
  group,       ///< Its process group, while the unreaped leader pins the number.
  everything,  ///< Every process that the command ever started, as far as its containment reaches.
};

struct Rung {
  int signal = 0;
  Target target = Target::group;
  Nanoseconds pause{0};  ///< How long the next rung waits for the command to end.
  /// Not empty: a command (argv) that is run instead of a signal, see run(). `signal` and `target` mean nothing then.
  std::vector<std::string> command = {};

  /// A stop command: "pg_ctl stop", "nginx -s quit". It runs as the command does: its directory, user, groups,
  /// capabilities, umask, nice value and resource limits, and its environment with NETRUNNER_PID, the pid of its leader
  /// as the command itself knows it. A program without '/' is looked up in the PATH of that environment; no shell is
  /// involved. stdin, stdout and stderr are /dev/null; it has a process group of its own, and is contained and limited
  /// with the command.
  ///
  /// It gets `pause` at most: then, or when the leader has ended, it is killed with its group. What it exits with isn't
  /// looked at: ended early, the rest of the pause is the command's. One that can't be executed is told
  /// (EventKind::stop_command, Ended::stop_commands, the log), and the ladder goes on at once. While the command is
  /// frozen (cgroup.freeze) it is not started; where the pause ends before that does, it could not be run.
  /// The shepherd has all that it takes since the command's start: it is run although the host is dead.
  [[nodiscard]] static Rung run(std::vector<std::string> argv, Nanoseconds pause) {
    return {0, Target::leader, pause, std::move(argv)};
  }
  friend bool operator==(const Rung&, const Rung&) = default;
};

/// Rungs in order; the last is always SIGKILL to everything (added where the caller left it out).
/// The ladder runs in the shepherd: once asked for it is finished even if caller and host are gone.
class KillLadder {
 public:
  static constexpr std::size_t rungs_max = 16;
  static constexpr std::size_t commands_max = 4;  ///< Of the rungs, those that run a command.

  KillLadder();  ///< SIGTERM to the group, 5 s, SIGKILL to everything.
  KillLadder(std::initializer_list<Rung> rungs);
  [[nodiscard]] static KillLadder of(std::vector<Rung> rungs);
  [[nodiscard]] static KillLadder at_once();  ///< SIGKILL to everything.
  /// "TERM:5s,INT@leader:500ms,KILL": NAME[@leader|group|everything][:PAUSE] separated by commas.
  /// "exec(nginx -s quit):10s,TERM:5s": a script for /bin/sh that is run instead of a signal. Its parentheses must
  /// balance, but for those in quotes or behind a backslash.
  [[nodiscard]] static Result<KillLadder> parse(std::string_view text);

  [[nodiscard]] const std::vector<Rung>& rungs() const noexcept { return rungs_; }
  /// What parse() reads. A command without a shell comes as the script that executes it.
  [[nodiscard]] std::string text() const;
  friend bool operator==(const KillLadder&, const KillLadder&) = default;

 private:
  std::vector<Rung> rungs_;
};

/// "TERM", "SIGTERM", "15", "RTMIN+3" to a number, and back ("SIGTERM").
[[nodiscard]] Result<int> parse_signal(std::string_view text);
[[nodiscard]] std::string signal_name(int signal);

/// "250ms", "1.5s", "2m", "1h", "3d", "500us", "10" (seconds); saturates. Rejects negative, inf, nan and nonsense.
[[nodiscard]] Result<Nanoseconds> parse_duration(std::string_view text);

}  // namespace netrunner
