#pragma once
/// What falls to us when we are init of a container.

namespace netrunner::tool {

/// Whether orphans become our children: process 1 of a PID namespace, see pid_namespaces(7).
[[nodiscard]] bool is_init() noexcept;
/// Takes away everything of ours that has ended. Commands are children of the shepherd: no status of theirs is here.
void reap_orphans() noexcept;

}  // namespace netrunner::tool
