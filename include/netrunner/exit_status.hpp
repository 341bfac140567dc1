#pragma once
/// How a command ended: a value, never an error, and never one integer for exit code and signal.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <variant>
#include <vector>

#include <netrunner/cgroup_limits.hpp>
#include <netrunner/kill_ladder.hpp>
#include <netrunner/stdio.hpp>

namespace netrunner {

struct Exited {
  int code = 0;
  friend bool operator==(const Exited&, const Exited&) = default;
};
struct Signaled {
  int signal = 0;
  bool core_dumped = false;
  friend bool operator==(const Signaled&, const Signaled&) = default;
};
/// The shepherd died before it could tell.
struct Unknown {
  friend bool operator==(const Unknown&, const Unknown&) = default;
};
using ExitStatus = std::variant<Exited, Signaled, Unknown>;

/// Why it ended: the first cause, whatever the status became in consequence.
enum class EndReason : std::uint8_t {
  exited,         ///< By itself.
  signaled,       ///< By a signal that the engine didn't send.
  deadline,       ///< Command::deadline passed.
  idle,           ///< Command::idle_limit passed without a byte of output.
  output_limit,   ///< Command::output_limit, AtLimit::stop.
  stopped,        ///< Process::stop or kill, a stop token, Engine::close.
  owner_gone,     ///< The Process handle was dropped.
  shepherd_lost,  ///< The helper died; the host killed what it knew.
  out_of_memory,  ///< The kernel's OOM killer: SIGKILL that nobody sent, and the command's own memory group counts it.
  cpu_time,       ///< Limits::cpu_time passed.
};
inline constexpr std::size_t end_reasons = 10;
[[nodiscard]] std::string_view name_of(EndReason reason) noexcept;

/// Whose CPU time a Usage counts.
enum class UsageScope : std::uint8_t {
  reaped,  ///< The leader and the descendants that it waited for: getrusage(2).
  tree,    ///< Every process that the command ever had: its cgroup's count.
};
[[nodiscard]] std::string_view name_of(UsageScope scope) noexcept;

/// What a command has used. The figures of its cgroup are there where it has one with that controller: with limits of
/// that kind, or (CPU) with a leaf of the cgroup containment.
struct Usage {
  std::uint64_t user_us = 0, system_us = 0;
  std::uint64_t max_rss_kib = 0;  ///< Largest process of leader and waited-for ones; the host's size isn't in it.
  UsageScope scope = UsageScope::reaped;                ///< Of user_us and system_us.
  std::optional<std::uint64_t> memory_peak_bytes{};     ///< Most that all processes had together, page cache included.
  std::optional<std::uint64_t> pids_peak{};             ///< Most processes and threads at once. Linux 6.1.
  std::optional<std::uint64_t> io_read_bytes{}, io_written_bytes{};  ///< Of block devices.
};

/// CLOCK_MONOTONIC nanoseconds, in this order (but for the first byte); 0: it did not happen.
struct Timeline {
  std::int64_t queued_ns = 0;      ///< spawn() was called.
  std::int64_t spawned_ns = 0;     ///< The process exists.
  std::int64_t exec_ns = 0;        ///< execve(2) is past its point of no return.
  std::int64_t first_byte_ns = 0;  ///< First byte of output.
  std::int64_t exited_ns = 0;      ///< The leader ended.
  std::int64_t drained_ns = 0;     ///< Every output stream reached its end, or the drain budget ended.
  std::int64_t gone_ns = 0;        ///< Besides, no process of it is left (as far as the containment sees).
};

/// How one output stream ended.
enum class StreamEnd : std::uint8_t {
  none,       ///< Not a pipe to the host.
  file_end,   ///< End of file: every byte was delivered or is in the reader's hands.
  inherited,  ///< The drain budget ended; a descendant still held the pipe.
  limit,      ///< Stopped reading at the output limit.
  truncated,  ///< End of file; bytes past the output limit were dropped and counted.
  lost,       ///< The shepherd died; what was in the pipe by then was delivered.
  abandoned,  ///< Nobody wanted the rest: the handle was dropped, or the stream was closed by the reader.
};
[[nodiscard]] std::string_view name_of(StreamEnd end) noexcept;

struct StreamSummary {
  Stream stream = Stream::out;
  StreamEnd end = StreamEnd::none;
  std::uint64_t bytes = 0;             ///< Moved: read from the command, or written to it.
  std::uint64_t dropped_bytes = 0;     ///< Read past the output limit; input that the command never read.
  std::uint64_t operations = 0;        ///< Reads or writes that moved bytes.
  std::uint64_t stalls = 0;            ///< Times without credit (output) or without room (input).
  std::uint64_t stalled_ns = 0;        ///< How long in all.
  std::uint64_t waits = 0;             ///< Reads that found nothing.
  std::uint64_t waited_ns = 0;         ///< How long readers waited for the command to write.
  Direction direction = Direction::from_command;
};

/// A rung of the ladder that was climbed, or a signal that was asked for.
struct SignalSent {
  int signal = 0;
  Target target = Target::leader;
  std::int64_t at_ns = 0;
  int sys_errno = 0;  ///< EPERM: the kernel did not permit it. 0: delivered.
};

/// A command that a rung of the ladder ran, or could not run. See Rung::run.
struct StopCommandRun {
  std::string program;
  pid_t pid = 0;               ///< As its shepherd sees it; 0: there was no process.
  std::int64_t at_ns = 0;      ///< CLOCK_MONOTONIC, when it had been executed, or that had failed.
  /// Why it could not be run, and the ladder went on at once. ECANCELED: its pause was over, or the command had ended,
  /// before it was executed.
  std::optional<Error> error;
};

/// What reaches a command's processes when they are to end, see README.
enum class Containment : std::uint8_t {
  automatic,      ///< The strongest that needs no wish: cgroup, else subreaper.
  process_group,  ///< The group only; setsid(2) leaves it.
  cgroup,         ///< A cgroup v2 leaf per command, born inside: everything (Linux 5.7, cgroup.kill 5.14).
  subreaper,      ///< Orphans fall to the shepherd and are known by session, group and an environment mark.
  pid_namespace,  ///< The shepherd is init of a namespace: the kernel kills everything with it.
};
[[nodiscard]] std::string_view name_of(Containment containment) noexcept;

/// A process that still had an output pipe of the command open for writing when the drain budget ended.
struct PipeHolder {
  Stream stream = Stream::out;
  pid_t pid = 0;     ///< As the host sees it.
  std::string name;  ///< comm of proc(5): the first 15 bytes of its program's name.
  friend bool operator==(const PipeHolder&, const PipeHolder&) = default;
};

/// Everything about a command that has ended.
struct Ended {
  static constexpr std::size_t holders_max = 8;

  ExitStatus status = Unknown{};
  EndReason reason = EndReason::exited;
  pid_t pid = 0;
  Usage usage;
  Timeline timeline;
  /// in, out, err and extras that are pipes to or from the host. Of a terminal two: what was written to it, under the
  /// first of in, out, err that leads to it, and what came from it, under the first of out, err, in.
  std::vector<StreamSummary> streams;
  std::vector<SignalSent> signals;     ///< In order.
  std::vector<StopCommandRun> stop_commands;  ///< In order, 16 at most.
  std::uint32_t stragglers = 0;        ///< Processes of it alive after the leader's exit.
  bool tree_empty = true;              ///< No process of it is left.
  Containment containment = Containment::process_group;
  std::vector<LimitOutcome> limits;    ///< Of each limit that was asked for.
  /// Processes of it that an OOM killer ended, whichever: its own limit's, an outer group's, the machine's. With
  /// oom_group the kernel counts the group's first victim twice. 0 where it has no memory group.
  std::uint64_t oom_kills = 0;
  bool memory_limit_met = false;       ///< It came up to its own memory_max (v2: and an allocation failed there).
  std::string unkillable;              ///< Why a process of it could not be killed; status is Unknown then.
  std::string stalled_on;              ///< "stdout: 64 KiB held by the reader for 12 s" where that bears on the end.
  /// Who held an output pipe or a terminal open when the drain budget ended, `holders_max` at most: processes of the
  /// command first, then others, as far as /proc shows their descriptors and a bounded look goes (README.md, Drain).
  /// Empty where every stream came to its end of file.
  std::vector<PipeHolder> holders;
  std::vector<int> success_codes;      ///< Command::success_codes; empty: 0 alone.

  /// It exited by itself with a code that counts as success.
  [[nodiscard]] bool success() const noexcept {
    const auto* exited = std::get_if<Exited>(&status);
    if (exited == nullptr || reason != EndReason::exited) return false;
    return success_codes.empty() ? exited->code == 0 : std::ranges::count(success_codes, exited->code) > 0;
  }
  /// Of a stream that has two directions: stdin's is what was written to it, any other's what came from it.
  [[nodiscard]] const StreamSummary* stream(Stream which) const noexcept;
};

/// "exited 3", "killed by SIGKILL", "unknown".
[[nodiscard]] std::string to_string(const ExitStatus& status);

}  // namespace netrunner
