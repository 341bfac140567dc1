#pragma once
/// Handing controllers of cgroup v2 down, see "Enabling and Disabling" and "No Internal Process Constraint" of the
/// kernel's cgroup-v2.rst.

#include <string>
#include <string_view>

#include <netrunner/error.hpp>

#include "engine/containment/controller.hpp"
#include "engine/os/cgroup.hpp"

namespace netrunner::containment {

/// A file of controllers lists this one.
[[nodiscard]] bool lists_controller(std::string_view controllers, Controller controller) noexcept;

/// From now on groups below `group` have the controller. `path`: for the error. Where the group has processes and all
/// are ours (this process, shepherds, descendants of either), they are moved into `netrunner-host` below it first.
[[nodiscard]] Result<void> hand_down(const os::Cgroup& group, const std::string& path, Controller controller);

}  // namespace netrunner::containment
