#include "tools/netrunner/stats_json.hpp"

#include <string_view>

#include <nlohmann/json.hpp>

namespace netrunner::tool {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Histogram& latency) {
  return {{"count", latency.count()},
          {"sum_us", latency.sum_ns() / 1000},
          {"p50_us", latency.quantile_ns(0.5) / 1000},
          {"p90_us", latency.quantile_ns(0.9) / 1000},
          {"p99_us", latency.quantile_ns(0.99) / 1000},
          {"max_us", latency.max_ns() / 1000}};
}

Json figures_of(const ShardStats& shard) {
  Json reasons = Json::object();
  for (std::size_t i = 0; i < shard.ended_by_reason.size(); ++i) {
    reasons[std::string(name_of(static_cast<EndReason>(i)))] = shard.ended_by_reason[i];
  }
  return {{"running", shard.running},
          {"started", shard.started},
          {"start_failures", shard.start_failures},
          {"ended", shard.ended},
          {"ended_by_reason", std::move(reasons)},
          {"quarantined", shard.quarantined},
          {"spawn_latency", json_of(shard.spawn_latency)},
          {"stop_latency", json_of(shard.stop_latency)},
          {"read_bytes", shard.read_bytes},
          {"reads", shard.reads},
          {"written_bytes", shard.written_bytes},
          {"writes", shard.writes},
          {"stalls", shard.stalls},
          {"stalled_us", shard.stalled_ns / 1000},
          {"buffered_bytes", shard.buffered_bytes},
          {"buffered_bytes_peak", shard.buffered_bytes_peak},
          {"budget_bytes", shard.budget_bytes},
          {"pool_bytes", shard.pool_bytes},
          {"chunks_out", shard.chunks_out},
          {"parked", shard.parked},
          {"shepherds_lost", shard.shepherds_lost},
          {"groups_left", shard.groups_left},
          {"turns", shard.turns},
          {"completions", shard.completions},
          {"ring_in_flight", shard.ring_in_flight},
          {"ring_overflows", shard.ring_overflows},
          {"no_buffer_completions", shard.no_buffer_completions},
          {"events", shard.events}};
}

}  // namespace

std::string json_of(const EngineStats& stats) {
  Json json;
  json["total"] = figures_of(stats.total());
  json["shards"] = Json::array();
  for (const ShardStats& shard : stats.shards) {
    Json figures = {{"shard", shard.shard},
                    {"shepherd_pid", shard.shepherd_pid},
                    {"spawn_path", std::string(name_of(shard.spawn_path))},
                    {"containment", std::string(name_of(shard.containment))}};
    figures.update(figures_of(shard));
    json["shards"].push_back(std::move(figures));
  }
  return json.dump(2) + "\n";
}

}  // namespace netrunner::tool
