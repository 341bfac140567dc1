#pragma once
/// A thread of ours in somebody else's program.

#include <functional>

#include <netrunner/error.hpp>

namespace netrunner::daemon {

/// Starts `body` in a thread that takes none of the host's signals and is awaited by nobody: what it uses it owns.
[[nodiscard]] Result<void> start_quiet_thread(std::function<void()> body);

}  // namespace netrunner::daemon
