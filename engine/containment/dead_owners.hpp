#pragma once

#include <cstdint>
#include <string>

#include "engine/containment/own_groups.hpp"
#include "engine/os/cgroup.hpp"

namespace netrunner::containment {

struct InstanceName;

/// What a start found of predecessors that are dead.
struct SweepReport {
  std::uint32_t instances = 0;  ///< Groups of dead owners that were found...
  std::uint32_t processes = 0;  ///< ...and processes in them that were killed.
  std::uint32_t left = 0;       ///< Groups that could not be removed yet.
};

/// Groups below `path` whose owner is dead: what lives in them is killed, then they are removed. In a v1 hierarchy too,
/// where there is no cgroup.kill: process by process, until none is left.
[[nodiscard]] SweepReport sweep_dead_owners(os::Hierarchy hierarchy, const std::string& path, const InstanceName& us);

/// The same in every v1 hierarchy in which our own group is ours to change.
[[nodiscard]] SweepReport sweep_dead_owners_v1(const OwnGroups& own, const InstanceName& us);

}  // namespace netrunner::containment
