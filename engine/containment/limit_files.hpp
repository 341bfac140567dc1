#pragma once
/// What the files of a command's groups say, in the words of the interface.

#include <array>
#include <optional>

#include <netrunner/cgroup_limits.hpp>
#include <netrunner/stats.hpp>

#include "engine/os/cgroup.hpp"
#include "engine/os/cgroup_usage.hpp"
#include "engine/os/hierarchy.hpp"

namespace netrunner::containment {

/// A command's group in each hierarchy; closed where it has none.
using CommandGroups = std::array<os::Cgroup, os::hierarchies>;

/// The limits in force; set is what has a file. cpu_time isn't the kernel's.
[[nodiscard]] Limits read_limits(const CommandGroups& groups);

/// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" and "full ...".
[[nodiscard]] std::optional<Pressure> read_pressure(const os::Cgroup& group, const char* file);

/// Fills in what the counters know; CPU time where they know it, then the scope is `tree`.
void apply_usage(const os::CgroupUsage& counted, Usage& usage);

}  // namespace netrunner::containment
