#pragma once
/// `netrunner daemon --stop FILE`: the daemon that wrote this state file.

#include <string>

#include <netrunner/deadline.hpp>

namespace netrunner::tool {

/// Asks it to stop and waits. The exit status: 0 stopped or gone already, 124 still there, 125 no such file.
[[nodiscard]] int stop_daemon(const std::string& state_path, Nanoseconds longest);

}  // namespace netrunner::tool
