#pragma once
/// A command that is kept running: restarted with backoff, known to be ready, its output in rotated files.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netrunner/command.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/lines.hpp>
#include <netrunner/log.hpp>
#include <netrunner/stats.hpp>
#include <netrunner/task.hpp>

namespace netrunner {

namespace detail {
class Supervisor;
}

/// After which ends an instance is started again. An end that was asked for (stop) is none of them.
enum class Restart : std::uint8_t {
  always,
  on_failure,  ///< Unless it exited by itself with 0.
  never,
};
[[nodiscard]] std::string_view name_of(Restart restart) noexcept;

/// The pause before a restart: `first`, doubled with each end that follows, never above `max`.
struct Backoff {
  Nanoseconds first = std::chrono::milliseconds(100);
  Nanoseconds max = std::chrono::seconds(30);
  /// A pause is drawn evenly from [(1 - jitter) · pause, pause], so that what failed together does not start together.
  double jitter = 0.25;
  /// An instance that was ready for so long begins again with `first`.
  Nanoseconds stable_after = std::chrono::seconds(30);
};

/// Giving up is a rate: after `restarts` of them within `within`, the next end makes the instance `failed`.
struct Burst {
  std::uint32_t restarts = 10;  ///< 0: never gives up. 10,000 at most.
  Nanoseconds within = std::chrono::minutes(1);
};

/// How it is known that an instance is ready.
class Ready {
 public:
  enum class Kind : std::uint8_t {
    started,  ///< exec(2) has succeeded.
    line,     ///< It wrote a line that matches.
    port,     ///< A connection to that port of the loopback address is accepted.
    notify,   ///< It sent READY=1 to $NOTIFY_SOCKET, see sd_notify(3).
    command,  ///< Another command, tried again and again, exited with 0.
  };
  [[nodiscard]] static Ready started() { return Ready{Kind::started}; }
  /// POSIX extended regular expression, see regex(7); on stdout or stderr.
  [[nodiscard]] static Ready line(std::string pattern) {
    Ready ready{Kind::line};
    ready.pattern_ = std::move(pattern);
    return ready;
  }
  [[nodiscard]] static Ready port(std::uint16_t number) {
    Ready ready{Kind::port};
    ready.port_ = number;
    return ready;
  }
  [[nodiscard]] static Ready notify() { return Ready{Kind::notify}; }
  /// One at a time, each stopped after 10 s where it has no deadline of its own.
  [[nodiscard]] static Ready command(Command probe) {
    Ready ready{Kind::command};
    ready.probe_ = std::move(probe);
    return ready;
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& pattern() const noexcept { return pattern_; }
  [[nodiscard]] std::uint16_t port_number() const noexcept { return port_; }
  [[nodiscard]] const std::optional<Command>& probe() const noexcept { return probe_; }

 private:
  explicit Ready(Kind kind) noexcept : kind_(kind) {}
  Kind kind_;
  std::uint16_t port_ = 0;
  std::string pattern_;
  std::optional<Command> probe_;
};

/// What must be there before an instance is started: looked at every 50 ms, before each start.
struct WaitFor {
  std::string path{};      ///< It exists; empty: a port is waited for.
  std::uint16_t port = 0;  ///< The loopback address accepts connections there.
};

/// When a log file is full, and how many full ones are kept: FILE.1 is the newest of them.
struct Rotation {
  std::uint64_t bytes_max = UINT64_MAX;  ///< A line that would make it larger goes to a new file. UINT64_MAX: never.
  std::uint32_t files = 5;               ///< 1,000 at most. 0: a full file is dropped.
};

/// A line of output, and whose it is. Valid during the call only.
struct DaemonLine : Line {
  std::uint32_t instance = 0;
  pid_t pid = 0;
};

/// Where the output of all instances goes. Lines stay whole whoever writes at the same time. Written by a thread of the
/// daemon's own: where it is slow, the bytes on their way are the streams' credit, and the command is slowed.
class DaemonOutput {
 public:
  enum class Kind : std::uint8_t { inherit, discard, file, logger, lines };

  /// The host's own stdout and stderr, handed to the command (copied to them where Ready::line must see it).
  [[nodiscard]] static DaemonOutput inherit() { return DaemonOutput{Kind::inherit}; }
  [[nodiscard]] static DaemonOutput discard() { return DaemonOutput{Kind::discard}; }
  /// stdout and stderr; `{i}` in the path is the number of the instance: a file for each. Opened to append.
  /// A rotation renames, and never cuts a line. A line that can't be written (a full disk) is dropped and counted;
  /// where a rotation fails or the file was removed, writing goes on.
  [[nodiscard]] static DaemonOutput file(std::string path, Rotation rotation = {}) {
    DaemonOutput output{Kind::file};
    output.path_ = std::move(path);
    output.rotation_ = rotation;
    return output;
  }
  /// stdout as `info`, stderr as `warning`; <netrunner/spdlog.hpp> makes one of an spdlog::logger. It may block here:
  /// then the command waits.
  [[nodiscard]] static DaemonOutput logger(Logger logger) {
    DaemonOutput output{Kind::logger};
    output.logger_ = std::move(logger);
    return output;
  }
  /// Called in a thread of the daemon's own, a line at a time. It may block: then the command waits.
  [[nodiscard]] static DaemonOutput lines(std::function<void(const DaemonLine&)> take) {
    DaemonOutput output{Kind::lines};
    output.take_ = std::move(take);
    return output;
  }
  /// Before each line of a file or logger; `{i}` is the number of the instance.
  [[nodiscard]] DaemonOutput prefix(std::string text) && {
    prefix_ = std::move(text);
    return std::move(*this);
  }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& prefix_text() const noexcept { return prefix_; }
  [[nodiscard]] const Rotation& rotation() const noexcept { return rotation_; }
  [[nodiscard]] const Logger& target() const noexcept { return logger_; }
  [[nodiscard]] const std::function<void(const DaemonLine&)>& taker() const noexcept { return take_; }

 private:
  explicit DaemonOutput(Kind kind) noexcept : kind_(kind) {}
  Kind kind_;
  Rotation rotation_;
  std::string path_, prefix_;
  Logger logger_;
  std::function<void(const DaemonLine&)> take_;
};

enum class DaemonState : std::uint8_t {
  waiting,      ///< For what must be there before the start.
  starting,     ///< Started, not ready yet.
  ready,
  stopping,     ///< Its ladder runs, or what it left is being stopped.
  backing_off,  ///< Ended; the next start has its time.
  stopped,      ///< By request, or it ended and is not to be restarted.
  failed,       ///< Given up; the reason says why. restart() begins anew.
};
[[nodiscard]] std::string_view name_of(DaemonState state) noexcept;

/// One instance, at one moment. Points in time: CLOCK_MONOTONIC nanoseconds, 0: none.
struct InstanceStatus {
  std::uint32_t instance = 0;
  DaemonState state = DaemonState::waiting;
  std::string reason;               ///< Why it is in this state; empty: nothing to say.
  pid_t pid = 0;                    ///< 0: not running.
  std::int64_t since_ns = 0;        ///< In this state since then.
  std::int64_t next_start_ns = 0;   ///< backing_off: the next start.
  std::uint64_t starts = 0;         ///< That were tried.
  std::uint64_t restarts = 0;       ///< Of them, those after an end or a failed start.
  std::uint32_t ends_in_row = 0;    ///< Since it was last stable.
  std::string status_text;          ///< STATUS= of sd_notify(3).
  bool reloading = false;           ///< RELOADING=1, until READY=1.
  std::uint64_t refused_messages = 0;  ///< Notifications from processes that are not the command's.
  std::optional<Ended> last_end;
  std::optional<Error> last_error;  ///< Of the last start, where it failed.
  bool waited_in_vain = false;      ///< failed, for what must be there before a start did not come in time.
};

/// What the log has to tell about itself.
struct LogStats {
  std::uint64_t lines = 0, bytes = 0;       ///< Taken from the command, newlines counted.
  std::uint64_t split_lines = 0;            ///< Pieces of over-long lines that were written as lines of their own.
  std::uint64_t rotations = 0, reopened = 0;
  std::uint64_t rotations_failed = 0, reopens_failed = 0;  ///< Writing went on in the old file.
  std::uint64_t dropped_lines = 0;          ///< That could not be written.
  std::string last_error;                   ///< Of those failures.
};

struct DaemonStatus {
  /// failed or stopped: all instances are, and one has failed. ready: all are. Else the least advanced.
  DaemonState state = DaemonState::waiting;
  std::vector<InstanceStatus> instances;
  LogStats log;
};

struct DaemonOptions {
  Restart restart = Restart::always;
  Backoff backoff{};
  Burst burst{};
  Ready ready = Ready::started();
  /// From the start; past it the instance is stopped by its ladder, and that is a failed end. EXTEND_TIMEOUT_USEC of
  /// sd_notify(3) prolongs it.
  Nanoseconds ready_timeout = std::chrono::minutes(1);
  /// WATCHDOG_USEC of the command: past it without WATCHDOG=1 it is stopped by its ladder, and that is a failed end.
  Nanoseconds watchdog = Nanoseconds::max();
  std::vector<WaitFor> wait_for{};                        ///< All of them.
  Nanoseconds wait_for_timeout = Nanoseconds::max();      ///< Past it: failed.
  DaemonOutput output = DaemonOutput::inherit();
  std::size_t line_bytes_max = 64 * KiB;                  ///< A longer line is cut into pieces; 64 B to 1 MiB.
  /// How many of it run side by side; 1,000 at most. With several, `{i}` in the arguments, variables, directory
  /// and stop commands is the number of the instance, from 0 on. Each has it as $NETRUNNER_INSTANCE.
  std::uint32_t instances = 1;
  /// Each change of state, in order and between the lines of output, in a thread of the daemon's own. It may block, as
  /// a callback for lines may; neither may wait for the daemon's end, which waits for them.
  std::function<void(const InstanceStatus&)> on_change{};
};

/// Keeps instances of a command running. Owner of them; move-only; any thread may call, any number at once. Two
/// threads of its own, whatever the number of instances: one decides, one writes the output.
///
/// A new process of an instance is started only when nothing of the one before is left: Stragglers::stop, whatever the
/// command says. Where something can't be killed the instance is `failed`.
///
/// Dropped = stopped by the ladder, without blocking; output that comes until the end is still written. It lives no
/// longer than its engine, and the host: what is to outlive the host is to be started by a host that does (as a
/// service of the system). The engine must stay where it is (not be moved) until the Daemon is dropped; it may be
/// closed before. Not usable after fork(2).
class Daemon {
 public:
  /// Starts all instances and returns at once: ready() tells when they are. Errors: invalid_argument (an option, by
  /// name), system (the log file can't be opened), limit_reached (no thread, no descriptor).
  ///
  /// A start that fails where none succeeded before and that won't heal by itself (not_found, not_executable, ...)
  /// makes an instance `failed` at once; all others are tried again, with backoff.
  [[nodiscard]] static Result<Daemon> start(Engine& engine, const Command& command, DaemonOptions options = {});
  Daemon(Daemon&&) noexcept = default;
  Daemon& operator=(Daemon&& other) noexcept;
  ~Daemon();

  /// Done when all instances are ready at once. Error: one of them has stopped or failed before.
  /// A state, not an event: any number may wait, also afterwards. Resumes on a shard's thread, as ended() does; once
  /// the engine has closed, in the daemon's own.
  [[nodiscard]] Task<Result<void>> ready() const;
  /// Done when all instances are stopped or failed, what they wrote is written, and their changes are told.
  [[nodiscard]] Task<DaemonStatus> ended() const;
  [[nodiscard]] DaemonStatus status() const;

  /// Orders every instance's ladder (the command's own, or another) and returns at once. A second stop may only
  /// shorten the first.
  void stop() const;
  void stop(const KillLadder& ladder) const;
  void kill() const { stop(KillLadder::at_once()); }
  /// Stops what runs, by its ladder, and starts it anew when nothing of it is left. One that backs off, has stopped or
  /// failed is started now, as if for the first time.
  void restart() const;
  void restart(std::uint32_t instance) const;
  /// The log files are closed and opened again by their names, between two lines: for after a rename.
  void reopen_log() const;

  /// Errors: already_exited (it doesn't run), invalid_argument (there is no such instance), and those of Process.
  [[nodiscard]] Task<Result<void>> signal(int number, Target target = Target::leader, std::uint32_t instance = 0) const;
  /// To its stdin, which must be Stdio::pipe(). Done when all bytes are accepted.
  [[nodiscard]] Task<Result<void>> write(std::string text, std::uint32_t instance = 0) const;
  [[nodiscard]] Task<Result<void>> close_input(std::uint32_t instance = 0) const;
  [[nodiscard]] Task<Result<ProcessStats>> stats(std::uint32_t instance = 0) const;

  [[nodiscard]] detail::Supervisor& supervisor() const noexcept { return *supervisor_; }

 private:
  explicit Daemon(std::shared_ptr<detail::Supervisor> supervisor) noexcept : supervisor_(std::move(supervisor)) {}
  std::shared_ptr<detail::Supervisor> supervisor_;
};

namespace blocking {

/// Daemon::ready for plain threads. Past the deadline: timed_out. With Threads::foreign: get(engine, daemon.ready()).
[[nodiscard]] Result<void> ready(const Daemon& daemon, Deadline deadline = Deadline::never());
/// Daemon::ended for plain threads. Past the deadline: timed_out.
[[nodiscard]] Result<DaemonStatus> ended(const Daemon& daemon, Deadline deadline = Deadline::never());

}  // namespace blocking

}  // namespace netrunner
