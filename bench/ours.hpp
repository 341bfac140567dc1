#pragma once
/// What the scenarios of NetRunner's own program share.

#include <netrunner/netrunner.hpp>

#include <atomic>
#include <cstdlib>
#include <latch>
#include <string>
#include <vector>

#include "bench/peers/protocol.h"

namespace bench {

namespace nr = netrunner;

/// A fault of the benchmark itself: it says so and ends.
template <class T>
T must(nr::Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// The engine under test. Variants come by the environment: BENCH_SHARDS (1), BENCH_CONTAINMENT (process_group, as
/// every peer has at most; automatic: what users get), BENCH_PIPE_BYTES, BENCH_CHUNK_BYTES (64 KiB), BENCH_TRANSPORT
/// (pipe or socket).
[[nodiscard]] nr::Engine open_engine();

/// What the command with three pipes is to all scenarios, as to all peers.
[[nodiscard]] nr::Command command_of(const Job& job);

/// Workers that run side by side until `count` is used up; each collects its own latencies.
struct Work {
  Work(nr::Engine& of, const Job& what)
      : engine(of), job(what), left(static_cast<std::int64_t>(what.count)), ended(std::ptrdiff_t(what.in_flight)) {}
  nr::Engine& engine;
  const Job& job;
  const std::string block = std::string(job.bytes, 'x');  ///< What all of them write, as the peers' do.
  std::atomic<std::int64_t> left;
  std::latch ended;
  std::vector<std::vector<double>> latencies_us{job.in_flight};
};

struct Result {
  double rate = 0;
  std::vector<double> latencies_us;
  double share = 1;
};

[[nodiscard]] Result spawn(nr::Engine& engine, const Job& job);
[[nodiscard]] Result round_trips(nr::Engine& engine, const Job& job);
[[nodiscard]] Result stream(nr::Engine& engine, const Job& job);
/// How long one call of spawn holds its caller, while `in_flight` commands are under way.
[[nodiscard]] Result callers_stall(nr::Engine& engine, const Job& job);
/// `in_flight` commands that never stop writing, `bytes` per second read of them for `count` ms. Prints by itself.
void slow_consumer(nr::Engine& engine, const Job& job);
/// `in_flight` commands with an escapee each: from stop to tree-empty, in `latencies_us` (one figure). Prints how many
/// of their processes are left, too.
[[nodiscard]] Result stop(nr::Engine& engine, const Job& job);
/// `in_flight` commands that wait: what each costs in memory of the host and of its shepherds. Prints by itself.
void idle_memory(nr::Engine& engine, const Job& job);
/// `count` commands of many kinds, `in_flight` at a time; what host, shepherds and kernel hold at the start, at each
/// tenth and at the end. Prints by itself, at once.
void soak(nr::Engine& engine, const Job& job);

/// Of a process, from smaps_rollup; 0: there is none.
[[nodiscard]] std::uint64_t resident_bytes(pid_t pid);
/// The engine's shepherds, spare ones included.
[[nodiscard]] std::vector<pid_t> shepherds_of(nr::Engine& engine);

}  // namespace bench
