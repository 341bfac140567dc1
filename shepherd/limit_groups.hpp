#pragma once
/// The groups of commands with limits: for each command one in every hierarchy that carries a limit of it, under one
/// number. Made for it, never used again: counters and limits belong to a group, not to a run.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/os/cgroup.hpp"
#include "engine/os/cgroup_usage.hpp"
#include "engine/os/hierarchy.hpp"
#include "engine/os/unique_fd.hpp"
#include "shepherd/leaves.hpp"
#include "shepherd/leftovers.hpp"

namespace netrunner::shepherd {

class LimitGroups {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  LimitGroups(Leaves& leaves, Leftovers& leftovers) noexcept : leaves_(leaves), leftovers_(leftovers) {}
  /// Directories of these hierarchies, in their order; that of v2 goes to the leaves.
  void add(std::uint32_t hierarchies, std::span<os::UniqueFd> directories);

  struct Wanted {
    std::uint32_t hierarchies = 0;
    std::span<const std::byte> writes;  ///< wire::LeafWriteReader's.
    bool best_effort = false;           ///< A value that is refused is noted; the rest goes on.
    bool born_inside = true;            ///< clone3 puts it into its v2 group; else it joins that as well.
  };
  struct Made {
    std::uint32_t number = none;
    Leaves::Taken leaf;                                 ///< In v2, to be born in.
    std::array<os::UniqueFd, os::hierarchies> members;  ///< cgroup.procs of those it has to join.
    std::uint32_t refused_writes = 0;                   ///< A bit for each, by its place.
    bool limits_memory = false;                         ///< Too little of it may end who is in them.
    int sys_errno = 0;                                  ///< Nothing was made.
    std::uint32_t failed_write = none;                  ///< Which one it was; none: a group could not be made.
  };
  [[nodiscard]] Made make(const Wanted& wanted);
  /// cgroup.procs of a command's groups, for one more process to join: all but v2's where it is born inside.
  [[nodiscard]] std::array<os::UniqueFd, os::hierarchies> open_members_of(std::uint32_t number,
                                                                          std::uint32_t hierarchies,
                                                                          bool born_inside) const;
  /// Nobody is in them, or will be soon; v2's goes with the leaf.
  void discard(std::uint32_t number, std::uint32_t hierarchies);
  /// Adds what those of v1 have counted.
  void read(std::uint32_t number, std::uint32_t hierarchies, os::CgroupUsage& usage) const;
  /// At the end, when no process is left.
  void remove_all(std::int64_t until_ns) const;

 private:
  [[nodiscard]] const os::Cgroup& directory(os::Hierarchy hierarchy) const noexcept {
    return directories_[static_cast<std::size_t>(hierarchy)];
  }
  [[nodiscard]] int make_group(os::Hierarchy hierarchy, const Wanted& wanted, Made& made);
  [[nodiscard]] int write_all(const Wanted& wanted, Made& made) const;

  Leaves& leaves_;
  Leftovers& leftovers_;
  std::array<os::Cgroup, os::hierarchies> directories_;  ///< Of v1.
  std::uint32_t next_ = 0;
};

}  // namespace netrunner::shepherd
