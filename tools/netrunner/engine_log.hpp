#pragma once
/// The engine's log on standard error, for those who ask: `--verbose`, or NETRUNNER_LOG=debug|info|warning|error.

#include <netrunner/log.hpp>

namespace netrunner::tool {

/// `--verbose` was given: everything.
void be_verbose() noexcept;
/// What EngineOptions::logger is to be; silent unless asked for.
[[nodiscard]] Logger engine_logger();

}  // namespace netrunner::tool
