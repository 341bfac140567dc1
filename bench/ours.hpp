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
/// every peer has at most; default: what users get), BENCH_PIPE_BYTES.
[[nodiscard]] nr::Engine open_engine();

/// What the command with three pipes is to all scenarios, as to all peers.
[[nodiscard]] nr::Command command_of(const Job& job);

/// Workers that run side by side until `count` is used up; each collects its own latencies.
struct Work {
  Work(nr::Engine& of, const Job& what)
      : engine(of), job(what), left(static_cast<std::int64_t>(what.count)), ended(std::ptrdiff_t(what.in_flight)) {}
  nr::Engine& engine;
  const Job& job;
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
/// `in_flight` commands with an escapee each: from stop to tree-empty, in `latencies_us` (one figure).
[[nodiscard]] Result stop(nr::Engine& engine, const Job& job);

}  // namespace bench
