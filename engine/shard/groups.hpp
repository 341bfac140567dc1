#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <netrunner/log.hpp>

#include "engine/containment/cgroup_manager.hpp"
#include "engine/containment/limit_files.hpp"
#include "engine/containment/limit_places.hpp"
#include "engine/containment/process_group_manager.hpp"
#include "engine/os/cgroup.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/reactor/reactor.hpp"

namespace netrunner::shard {

/// The cgroups of one shepherd after another: one for each life, because a group that was killed kills whoever is born
/// in it. What could not be removed yet is tried again, and counted.
/// Owner: one shard. Thread: its own.
class Groups {
 public:
  /// `manager` null: there are none. `name`: of the shard, unique in the process.
  Groups(reactor::Reactor& reactor, const containment::CgroupManager* manager, std::string name,
         const Logger& logger);
  ~Groups();

  /// A fresh group for the next life; empty where there are none.
  [[nodiscard]] os::UniqueFd next();

  /// Directories of the present life for commands with limits in these hierarchies; `fresh` are copies of those that
  /// the shepherd has not got yet.
  struct Limited {
    std::uint32_t hierarchies = 0;
    std::vector<os::UniqueFd> fresh;
  };
  [[nodiscard]] Result<Limited> open_limited(containment::LimitPlaces& places, std::uint32_t hierarchies);
  /// The groups of a command of the present life, by what the shepherd has said of it; closed where there is none.
  [[nodiscard]] containment::CommandGroups of_command(std::uint32_t limit_group, std::uint32_t hierarchies) const;
  [[nodiscard]] os::Cgroup leaf(std::uint32_t leaf) const;

  /// A copy of the present one, for a sibling.
  [[nodiscard]] os::UniqueFd copy() const;
  /// The present life is over: kills whatever is in its group, whoever started it; removes it now or later.
  void kill_present();
  /// Where there is no group: whatever carries this mark is killed, now and until none is left.
  void kill_marked(std::uint64_t mark);
  /// No process is left in a group of a life that is over.
  [[nodiscard]] bool the_dead_are_gone() const noexcept;
  /// Marked processes of lost shepherds are being ended.
  [[nodiscard]] bool hunts() const noexcept { return lost_.hunts(); }
  [[nodiscard]] std::uint32_t left() const noexcept { return static_cast<std::uint32_t>(old_.size()); }
  /// The last try, patiently but bounded.
  void remove_all();

 private:
  struct Group {
    std::string name;
    os::Cgroup group;
    std::int64_t killed_ns = 0;
    bool complained = false;
    containment::CommandGroups limited;  ///< In each hierarchy: the directory of the limits' groups.
    std::uint32_t given = 0;             ///< The hierarchies whose directory the shepherd has got.
    [[nodiscard]] bool any() const noexcept;
    [[nodiscard]] bool may_be_populated() const noexcept;
    void kill() const noexcept;
  };
  [[nodiscard]] int remove_directories(const Group& old) const;
  void try_again();
  void remove_old();
  [[nodiscard]] bool remove(Group& old) const;

  reactor::Reactor& reactor_;
  const containment::CgroupManager* manager_;
  containment::LimitPlaces* places_ = nullptr;  ///< Once there was a limit.
  std::string name_;
  const Logger& logger_;
  Group present_;
  std::vector<Group> old_;
  reactor::Timer retry_;
  std::int64_t retry_pause_ns_;
  std::uint32_t lives_ = 0;
  std::int64_t lost_ns_ = 0;
  containment::ProcessGroupManager lost_;  ///< Commands of lost shepherds without a group, that are being ended.
};

}  // namespace netrunner::shard
