#pragma once

#include <memory>
#include <stop_token>

#include <netrunner/command.hpp>
#include <netrunner/error.hpp>

#include "engine/shard/spawn_plan.hpp"

namespace netrunner::detail {

class Core;

/// Checks a command and makes it ready in the caller's thread: encodes it, duplicates its descriptors.
[[nodiscard]] Result<std::unique_ptr<SpawnPlan>> plan_spawn(const Core& core, const Command& command,
                                                            std::stop_token stop);

}  // namespace netrunner::detail
