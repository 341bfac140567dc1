#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <netrunner/error.hpp>

#include "engine/os/cgroup.hpp"

namespace netrunner::containment {

/// What a start found of predecessors that are dead.
struct SweepReport {
  std::uint32_t instances = 0;  ///< Groups of dead owners that were found...
  std::uint32_t processes = 0;  ///< ...and processes in them that were killed.
  std::uint32_t left = 0;       ///< Groups that could not be removed yet.
};

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
  [[nodiscard]] int remove_group(const std::string& name) const { return instance_.remove_child(name.c_str()); }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const SweepReport& swept() const noexcept { return swept_; }

 private:
  CgroupManager(os::Cgroup base, os::Cgroup instance, std::string name, std::string path)
      : base_(std::move(base)), instance_(std::move(instance)), name_(std::move(name)), path_(std::move(path)) {}
  os::Cgroup base_, instance_;
  std::string name_, path_;
  SweepReport swept_;
};

/// What the name of an instance's group says of its owner.
struct InstanceName {
  std::string boot_id;
  std::uint64_t pid_namespace = 0;
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static Result<InstanceName> parse(const std::string& text);
  [[nodiscard]] static Result<InstanceName> own();
  /// The process with this pid and start time lives, in this boot and PID namespace. Another namespace's can't be
  /// judged: it counts as alive.
  [[nodiscard]] bool owner_lives(const InstanceName& us) const;
};

}  // namespace netrunner::containment
