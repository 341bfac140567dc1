#pragma once

#include <memory>
#include <stop_token>

#include <netrunner/command.hpp>
#include <netrunner/error.hpp>

#include "engine/shard/limit_order.hpp"
#include "engine/shard/spawn_plan.hpp"

namespace netrunner::detail {

class Core;

/// Checks a command and makes it ready in the caller's thread: encodes it, duplicates its descriptors.
[[nodiscard]] Result<std::unique_ptr<SpawnPlan>> plan_spawn(Core& core, const Command& command,
                                                            std::stop_token stop);

/// New limits for a running command, made ready in the caller's thread.
[[nodiscard]] Result<std::unique_ptr<LimitOrder>> plan_limit_order(Core& core, const Limits& limits,
                                                                   LimitPolicy policy);

}  // namespace netrunner::detail
