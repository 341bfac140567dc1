#pragma once
/// What can be wrong with the options of a daemon, by field.

#include <netrunner/daemon.hpp>

namespace netrunner::daemon {

[[nodiscard]] Result<void> check(const DaemonOptions& options);

}  // namespace netrunner::daemon
