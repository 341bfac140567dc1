#pragma once
/// The cgroup of each command: a leaf below the directory that the host gave. Born inside, killed as one, and known to
/// be empty when it is.

#include <array>
#include <cstdint>
#include <sys/types.h>

#include "engine/os/cgroup.hpp"
#include "engine/os/cgroup_usage.hpp"
#include "engine/os/unique_fd.hpp"
#include "shepherd/leftovers.hpp"

namespace netrunner::shepherd {

/// Kills and removes everything in a group, the group itself, and its parent if it was the last there. False: it
/// can't be told who is left in it.
bool end_group(const os::Cgroup& group, std::int64_t until_ns);

/// Leaves are numbered, and used again only while they were never killed: after one cgroup.kill the kernel kills at
/// birth whoever is cloned into the group (seen on Linux 6.18). No descriptor of a running command's leaf is held.
///
/// Those of commands with limits of v2 controllers lie apart, in a directory that has the controllers, and are used
/// once: the others go without what controllers cost.
class Leaves {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  explicit Leaves(Leftovers& leftovers) noexcept : leftovers_(leftovers) {}
  /// False: no directory of leaves could be made in it.
  [[nodiscard]] bool open(os::UniqueFd directory);
  void open_limited(os::UniqueFd directory) { limited_ = os::Cgroup(std::move(directory)); }
  void close() { directory_ = os::Cgroup(); }
  [[nodiscard]] bool active() const noexcept { return static_cast<bool>(directory_); }
  [[nodiscard]] const os::Cgroup& limited() const noexcept { return limited_; }
  [[nodiscard]] static bool is_limited(std::uint32_t leaf) noexcept { return leaf != none && leaf >= limited_from; }
  /// Of LimitGroups::Made.
  [[nodiscard]] static std::uint32_t number_of(std::uint32_t leaf) noexcept { return leaf % limited_from; }

  /// CPU time that a leaf has counted for commands before.
  struct Counted {
    std::uint64_t user_us = 0, system_us = 0;
  };
  struct Taken {
    std::uint32_t leaf = none;
    os::UniqueFd fd;
    int sys_errno = 0;
    Counted before;
  };
  /// An empty leaf for a new command.
  [[nodiscard]] Taken take();
  /// A new one with the controllers of limits.
  [[nodiscard]] Taken make_limited(std::uint32_t number);
  /// It was used, is empty now and was never killed; `counted` is what its cpu.stat says.
  void give_back(std::uint32_t leaf, Counted counted);
  /// It is not used again: removed now, or tried again until it can be.
  void discard(std::uint32_t leaf) { leftovers_.remove(above(leaf), name(leaf)); }

  /// For one more process to be born in it; none: it has gone.
  [[nodiscard]] os::UniqueFd open(std::uint32_t leaf) const { return at(leaf).release(); }
  [[nodiscard]] os::GroupEvents events(std::uint32_t leaf) const;
  [[nodiscard]] os::Population population(std::uint32_t leaf) const { return events(leaf).population; }
  /// SIGKILL to everything in it; discard it afterwards. 0 or the errno.
  [[nodiscard]] int kill(std::uint32_t leaf) const;
  /// A signal to each process in it but those of `but_group`. A fork under way may escape it; SIGKILL goes by kill().
  void signal(std::uint32_t leaf, int signal, pid_t but_group) const;
  /// Processes in it.
  [[nodiscard]] std::uint32_t count(std::uint32_t leaf) const;
  /// What it has counted, since it was made: CPU time, with controllers the rest.
  [[nodiscard]] os::CgroupUsage usage(std::uint32_t leaf) const;

  /// At the end: kills and removes everything in the directory, the directory itself and its parent if it was the last.
  void remove_all(std::int64_t until_ns) const;

 private:
  static constexpr std::uint32_t idle_max = 256;
  static constexpr std::uint32_t limited_from = 1U << 31;
  struct Idle {
    std::uint32_t leaf;
    Counted counted;
  };
  [[nodiscard]] Result<os::Cgroup> opened(std::uint32_t leaf) const {
    return above(leaf).open_child(name(leaf).text);
  }
  /// None: it could not be opened.
  [[nodiscard]] os::Cgroup at(std::uint32_t leaf) const;
  [[nodiscard]] const os::Cgroup& above(std::uint32_t leaf) const noexcept {
    return is_limited(leaf) ? limited_ : directory_;
  }
  [[nodiscard]] static GroupName name(std::uint32_t leaf) noexcept {
    return {is_limited(leaf) ? 'l' : 'c', number_of(leaf)};
  }
  [[nodiscard]] Taken make(std::uint32_t leaf) const;

  Leftovers& leftovers_;
  os::Cgroup root_;  ///< What the host gave.
  os::Cgroup directory_, limited_;
  std::array<Idle, idle_max> idle_;  ///< The one used last on top.
  std::uint32_t idle_count_ = 0;
  std::uint32_t next_ = 0;
};

}  // namespace netrunner::shepherd
