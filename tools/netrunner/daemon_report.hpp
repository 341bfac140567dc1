#pragma once
/// A supervised command as words and as JSON.

#include <string>
#include <vector>

#include <netrunner/daemon.hpp>

#include "tools/netrunner/process_identity.hpp"

namespace netrunner::tool {

/// One line about a change, without a newline; empty: nothing that a person must know.
[[nodiscard]] std::string in_words(const InstanceStatus& status);
/// With a newline at the end. `log` may be null.
[[nodiscard]] std::string json_of(const ProcessIdentity& supervisor, const std::vector<InstanceStatus>& instances,
                                  const LogStats* log);

}  // namespace netrunner::tool
