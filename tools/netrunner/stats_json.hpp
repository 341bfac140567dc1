#pragma once
/// The figures of an engine as JSON.

#include <string>

#include <netrunner/stats.hpp>

namespace netrunner::tool {

/// The sum and each shard; latencies as count, sum, median, 90th and 99th percentile and maximum. With a newline.
[[nodiscard]] std::string json_of(const EngineStats& stats);

}  // namespace netrunner::tool
