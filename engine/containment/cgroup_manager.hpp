#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <netrunner/error.hpp>

#include "engine/containment/dead_owners.hpp"
#include "engine/os/cgroup.hpp"

namespace netrunner::containment {

/// Where this process's commands live in the cgroup v2 hierarchy:
///   <our own group>/netrunner-<boot id>-<pid namespace>-<pid>-<start time>/shard-<engine>.<shard>.<life>/<leaf>
/// The name says who owns it, so that a later start can tell a dead owner's from a live one's. Immutable once open:
/// every shard may use it at once. Owner: the engine's Core.
class CgroupManager {
 public:
  /// Finds the part of the hierarchy that we may write, wherever it is mounted; sweeps what dead predecessors left.
  /// Errors name the file, the permission, and what to do.
  [[nodiscard]] static Result<std::unique_ptr<CgroupManager>> open();
  /// Removes the instance's group where it is empty.
  ~CgroupManager();

  /// The group of one shepherd's commands; each life of a shepherd gets one of its own, because a group that was
  /// killed must not be used again.
  [[nodiscard]] Result<os::Cgroup> make_group(const std::string& name) const;
  /// 0, or the errno (EBUSY: try again later).
  [[nodiscard]] int remove_group(const std::string& name) const;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const SweepReport& swept() const noexcept { return swept_; }

 private:
  CgroupManager(os::Cgroup base, std::string name, std::string path)
      : base_(std::move(base)), name_(std::move(name)), path_(std::move(path)) {}
  os::Cgroup base_;
  std::string name_, path_;
  SweepReport swept_;
};

}  // namespace netrunner::containment
