#include <netrunner/stats.hpp>

#include <algorithm>

namespace netrunner {

std::uint64_t EngineStats::running() const noexcept {
  std::uint64_t sum = 0;
  for (const ShardStats& shard : shards) sum += shard.running;
  return sum;
}

std::uint64_t EngineStats::buffered_bytes_peak() const noexcept {
  std::uint64_t sum = 0;
  for (const ShardStats& shard : shards) sum += shard.buffered_bytes_peak;
  return sum;
}

namespace {

constexpr std::uint64_t ShardStats::* sums[] = {
    &ShardStats::running,       &ShardStats::started,        &ShardStats::start_failures, &ShardStats::ended,
    &ShardStats::shepherds_lost, &ShardStats::buffered_bytes, &ShardStats::buffered_bytes_peak,
    &ShardStats::budget_bytes,  &ShardStats::pool_bytes,     &ShardStats::parked,         &ShardStats::turns,
    &ShardStats::completions,   &ShardStats::ring_overflows, &ShardStats::no_buffer_completions,
    &ShardStats::read_bytes,    &ShardStats::reads,          &ShardStats::written_bytes,  &ShardStats::writes,
    &ShardStats::stalls,        &ShardStats::stalled_ns,     &ShardStats::chunks_out,     &ShardStats::ring_in_flight,
    &ShardStats::quarantined,   &ShardStats::events,
};

}  // namespace

ShardStats EngineStats::total() const {
  if (shards.empty()) return {};
  ShardStats all = shards.front();
  for (std::size_t i = 1; i < shards.size(); ++i) {
    const ShardStats& shard = shards[i];
    for (const auto sum : sums) all.*sum += shard.*sum;
    for (std::size_t reason = 0; reason < all.ended_by_reason.size(); ++reason) {
      all.ended_by_reason[reason] += shard.ended_by_reason[reason];
    }
    all.groups_left += shard.groups_left;
    all.spawn_latency.add(shard.spawn_latency);
    all.stop_latency.add(shard.stop_latency);
  }
  return all;
}

}  // namespace netrunner
