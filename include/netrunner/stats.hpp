#pragma once
/// Figures of commands, shards and the engine: plain values, taken at one moment on the shard's own thread.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <netrunner/exit_status.hpp>
#include <netrunner/histogram.hpp>

namespace netrunner {

/// A stream that is a pipe to or from the host, now; of a terminal there are two, as in Ended::streams. Who is slow:
/// `stalled_ns` is the time that the other side was waited for (an output waits for its reader, an input for the
/// command to read), `waited_ns` the time that a reader waited for the command to write.
struct StreamStats {
  Stream stream = Stream::out;
  std::uint64_t bytes = 0, operations = 0, dropped_bytes = 0;
  std::uint64_t stalls = 0, stalled_ns = 0;
  std::uint64_t window_bytes = 0;    ///< limit == free + reserved + held.
  std::uint64_t free_bytes = 0;      ///< May be promised to a read.
  std::uint64_t reserved_bytes = 0;  ///< A read in the ring has it.
  std::uint64_t held_bytes = 0;      ///< Waits for the reader, or is in the reader's hands.
  bool ended = false;
  std::uint64_t stalled_for_ns = 0;  ///< Stands still now, for so long; 0: it doesn't.
  std::uint64_t waits = 0, waited_ns = 0;  ///< Reads that found nothing, and how long they waited, the present one too.
  Direction direction = Direction::from_command;
};

/// Where a command stands.
enum class CommandState : std::uint8_t {
  starting,  ///< Asked for, exec has not succeeded yet.
  running,
  draining,  ///< The leader ended; output still comes.
  settling,  ///< What outlived the leader is being dealt with.
  ended,     ///< The result stands.
};
[[nodiscard]] std::string_view name_of(CommandState state) noexcept;

/// Pressure stall information of one resource: the share of time in which some, or all, of the command's tasks waited
/// for it. Linux 5.2; v1 controllers don't have it, a bare v2 leaf does.
struct Pressure {
  struct Share {
    double avg10 = 0, avg60 = 0, avg300 = 0;  ///< Percent, over the last so many seconds.
    std::uint64_t total_us = 0;
  };
  Share some, full;
};

struct ProcessStats {
  pid_t pid = 0;
  bool exited = false;
  std::vector<StreamStats> streams;
  Timeline timeline;                 ///< As far as it has come; `exec_ns` is since when it runs.
  std::uint64_t id = 0;              ///< Process::id().
  std::uint32_t shard = 0;
  std::string program;               ///< As the Command has it; never its arguments.
  CommandState state = CommandState::starting;
  std::optional<EndReason> reason;   ///< Its end has been ordered, or has come: why.
  bool detached = false;
  Containment containment = Containment::process_group;
  std::uint32_t signals_sent = 0;
  Usage usage;                       ///< Until now; its scope says of whom.
  std::optional<std::uint64_t> memory_bytes;  ///< Now, of the whole tree, where it has a memory group.
  std::optional<std::uint64_t> processes;     ///< Now, and threads, where it has a pids group.
  std::optional<Pressure> cpu_pressure, memory_pressure, io_pressure;  ///< Where its cgroup tells it.
};

enum class SpawnPath : std::uint8_t {
  asynchronous,  ///< clone3 without CLONE_VFORK: the ring tells of the end of exec.
  vfork,         ///< clone3 with CLONE_VFORK: the shepherd sleeps until exec.
};
[[nodiscard]] std::string_view name_of(SpawnPath path) noexcept;

struct ShardStats {
  std::uint32_t shard = 0;
  pid_t shepherd_pid = 0;
  pid_t spare_pid = 0;  ///< The second shepherd of an engine with one shard, a moment after the first; 0: none.
  SpawnPath spawn_path = SpawnPath::asynchronous;
  Containment containment = Containment::process_group;  ///< In effect.
  std::string containment_note;                         ///< Why it isn't a stronger one; empty: it is what was asked.
  std::uint32_t groups_left = 0;                        ///< cgroups that could not be removed yet; tried again.
  std::uint64_t running = 0, started = 0, start_failures = 0, ended = 0;
  std::array<std::uint64_t, end_reasons> ended_by_reason{};  ///< Indexed by EndReason.
  std::uint64_t shepherds_lost = 0;
  std::uint64_t buffered_bytes = 0, buffered_bytes_peak = 0, budget_bytes = 0;
  std::uint64_t pool_bytes = 0;                     ///< Memory of the chunk pool.
  std::uint64_t parked = 0;                         ///< Streams that wait for a chunk or for budget, now.
  std::uint64_t turns = 0, completions = 0, ring_overflows = 0, no_buffer_completions = 0;
  Histogram spawn_latency;                          ///< From the request to exec, of each command that started.
  Histogram stop_latency;                           ///< From the order to end until nothing of it was left.
  std::uint64_t read_bytes = 0, reads = 0;          ///< From commands, delivered or dropped.
  std::uint64_t written_bytes = 0, writes = 0;      ///< To commands.
  std::uint64_t stalls = 0, stalled_ns = 0;         ///< Of streams, of those that have gone on.
  std::uint64_t chunks_out = 0;                     ///< Buffers of the pool that hold bytes, here or with a reader.
  std::uint64_t ring_in_flight = 0;                 ///< Operations that the kernel has.
  std::uint64_t quarantined = 0;                    ///< Commands that can't be killed, see Ended::unkillable; now.
  std::uint64_t events = 0;                         ///< Told to callbacks.
};

struct EngineStats {
  std::vector<ShardStats> shards;
  /// The sum of all shards: counts added, histograms merged; what can't be added is the first shard's.
  [[nodiscard]] ShardStats total() const;
  [[nodiscard]] std::uint64_t running() const noexcept;
  [[nodiscard]] std::uint64_t buffered_bytes_peak() const noexcept;  ///< Sum of the shards' peaks.
};

/// The same as OpenMetrics text (application/openmetrics-text; version=1.0.0), from the first `# TYPE` to `# EOF`,
/// with a label `shard`. No server is in this library: serve or write it as you like.
[[nodiscard]] std::string to_openmetrics(const EngineStats& stats);

}  // namespace netrunner
