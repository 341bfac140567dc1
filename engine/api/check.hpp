#pragma once

#include <netrunner/command.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/error.hpp>

namespace netrunner::detail {

/// Everything about a command that can be wrong before anything is started: each error names field and index.
[[nodiscard]] Result<void> check(const Command::Spec& spec);
/// Whether the engine starts commands as this user.
[[nodiscard]] Result<void> check_user(const Command::Spec& spec, const EngineOptions& options);
[[nodiscard]] Result<void> check(const Limits& limits);
/// Its commands; the rest of a ladder is always right.
[[nodiscard]] Result<void> check(const KillLadder& ladder);

}  // namespace netrunner::detail
