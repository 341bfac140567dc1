#pragma once

#include <netrunner/command.hpp>
#include <netrunner/error.hpp>

namespace netrunner::detail {

/// Everything about a command that can be wrong before anything is started: each error names field and index.
[[nodiscard]] Result<void> check(const Command::Spec& spec);

}  // namespace netrunner::detail
