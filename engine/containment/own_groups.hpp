#pragma once

#include <array>
#include <string>

#include <netrunner/error.hpp>

#include "engine/os/hierarchy.hpp"

namespace netrunner::containment {

/// The directory of our own group in each hierarchy, wherever it is mounted; see proc(5), mountinfo and
/// /proc/self/cgroup. A value, as it was when it was read.
class OwnGroups {
 public:
  /// Where a host has moved itself to, so that its group may hand controllers down; what is above it counts.
  static constexpr const char* host_group = "netrunner-host";
  /// Below a shard's: of its commands with limits.
  static constexpr const char* limited_group = "limited";

  [[nodiscard]] static OwnGroups read();
  /// An error says that it isn't mounted, or that our group lies outside of what is.
  [[nodiscard]] const Result<std::string>& path(os::Hierarchy hierarchy) const noexcept {
    return paths_[static_cast<std::size_t>(hierarchy)];
  }
 private:
  OwnGroups();
  std::array<Result<std::string>, os::hierarchies> paths_;
};

}  // namespace netrunner::containment
