#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>

#include <netrunner/error.hpp>

#include "engine/containment/cgroup_manager.hpp"
#include "engine/containment/controller.hpp"
#include "engine/containment/own_groups.hpp"
#include "engine/os/cgroup.hpp"

namespace netrunner::containment {

/// The hierarchies that carry limits for this process's commands, and its directories in them:
///   v2  <our own group>/netrunner-.../shard-<engine>.<shard>.<life>/limited/l<n>
///   v1  <our own group there>/netrunner-.../shard-<engine>.<shard>.<life>/l<n>, one hierarchy per controller
/// Nothing is made before the first command with a limit. Then v2 controllers are enabled on the way down; where our
/// own group has processes (no group but the root may then hand controllers down, see cgroups(7)) and all of them are
/// ours, they are moved into a group of their own below it, netrunner-host, and stay there.
/// Owner: the engine's Core. Any thread.
class LimitPlaces final : public LimitGround {
 public:
  /// `leaves`: the directory of the engine's leaves where it has one, else null.
  [[nodiscard]] static Result<std::unique_ptr<LimitPlaces>> open(const CgroupManager* leaves);
  /// Removes its directories where they are empty.
  ~LimitPlaces();

  [[nodiscard]] Result<os::Hierarchy> place_of(Controller controller) override;
  [[nodiscard]] Result<std::uint32_t> cpu_clock() override;
  [[nodiscard]] bool has_file(os::Hierarchy hierarchy, const char* file) const override;
  [[nodiscard]] std::string text_of(os::Hierarchy hierarchy, const char* file) const override;
  [[nodiscard]] std::string path_of(os::Hierarchy hierarchy) const override;

  /// The directory in which one shepherd's commands get their groups: made now. `life` as CgroupManager::make_group.
  [[nodiscard]] Result<os::Cgroup> make_life(os::Hierarchy hierarchy, const std::string& life);
  /// 0, or the errno (EBUSY: try again later).
  [[nodiscard]] int remove_life(os::Hierarchy hierarchy, const std::string& life) const;
  void remove_instances() const;

 private:
  LimitPlaces(OwnGroups own, std::string name, const CgroupManager* leaves)
      : own_(std::move(own)), name_(std::move(name)), leaves_(leaves) {}
  [[nodiscard]] Result<const CgroupManager*> unified();
  [[nodiscard]] bool offers(Controller controller) const;
  [[nodiscard]] Result<void> enable(Controller controller);
  [[nodiscard]] Result<os::Cgroup> make_v1(os::Hierarchy hierarchy) const;
  [[nodiscard]] Error nowhere(Controller controller) const;

  const OwnGroups own_;
  const std::string name_;  ///< Of the instance.
  const CgroupManager* const leaves_;
  std::unique_ptr<CgroupManager> own_leaves_;  ///< Where the engine has none, for v2's directory.
  std::mutex mutex_;                           ///< Guards own_leaves_ and the order of what is made.
};

}  // namespace netrunner::containment
