#pragma once

#include <memory>
#include <stop_token>

#include <netrunner/command.hpp>
#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"
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

[[nodiscard]] bool has_commands(const KillLadder& ladder) noexcept;
/// The commands of a ladder of this command, for the shepherd: a sealed memfd of wire/stop_commands.hpp.
[[nodiscard]] Result<os::UniqueFd> plan_stop_commands(const Core& core, const Command::Spec& spec,
                                                      const KillLadder& ladder);

}  // namespace netrunner::detail
