#pragma once
/// Figures of commands, shards and the engine: plain values, taken at one moment on the shard's own thread.

#include <array>
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include <netrunner/exit_status.hpp>

namespace netrunner {

/// A stream that is a pipe to or from the host, now.
struct StreamStats {
  Stream stream = Stream::out;
  std::uint64_t bytes = 0, operations = 0, dropped_bytes = 0;
  std::uint64_t stalls = 0, stalled_ns = 0;
  std::uint64_t window_bytes = 0;    ///< limit == free + reserved + held.
  std::uint64_t free_bytes = 0;      ///< May be promised to a read.
  std::uint64_t reserved_bytes = 0;  ///< A read in the ring has it.
  std::uint64_t held_bytes = 0;      ///< Waits for the reader, or is in the reader's hands.
  bool ended = false;
};

struct ProcessStats {
  pid_t pid = 0;
  bool exited = false;
  std::vector<StreamStats> streams;
  Timeline timeline;
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
  std::array<std::uint64_t, 8> ended_by_reason{};   ///< Indexed by EndReason.
  std::uint64_t shepherds_lost = 0;
  std::uint64_t buffered_bytes = 0, buffered_bytes_peak = 0, budget_bytes = 0;
  std::uint64_t pool_bytes = 0;                     ///< Memory of the chunk pool.
  std::uint64_t parked = 0;                         ///< Streams that wait for a chunk or for budget, now.
  std::uint64_t turns = 0, completions = 0, ring_overflows = 0, no_buffer_completions = 0;
};

struct EngineStats {
  std::vector<ShardStats> shards;
  [[nodiscard]] std::uint64_t running() const noexcept;
  [[nodiscard]] std::uint64_t buffered_bytes_peak() const noexcept;  ///< Sum of the shards' peaks.
};

}  // namespace netrunner
