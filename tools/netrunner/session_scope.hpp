#pragma once
/// Whether we live in a group of processes that is ended with somebody's login.

#include <string>

namespace netrunner::tool {

/// The name of the login session's or terminal's own cgroup that we are in (session-3.scope); empty: in none.
[[nodiscard]] std::string session_scope();

}  // namespace netrunner::tool
