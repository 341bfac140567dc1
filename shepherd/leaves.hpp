#pragma once
/// The cgroup of each command: a leaf below the directory that the host gave. Born inside, killed as one, and known to
/// be empty when it is.

#include <array>
#include <cstdint>
#include <sys/types.h>

#include "engine/os/cgroup.hpp"
#include "engine/os/unique_fd.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/limits.hpp"
#include "shepherd/region.hpp"

namespace netrunner::shepherd {

/// Kills and removes everything in a group, the group itself, and its parent if it was the last there.
void end_group(const os::Cgroup& group, std::int64_t until_ns);

/// Leaves are numbered, and used again only while they were never killed: after one cgroup.kill the kernel kills at
/// birth whoever is cloned into the group (seen on Linux 6.18). No descriptor of a running command's leaf is held.
class Leaves {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  /// False: no memory.
  [[nodiscard]] bool open(os::UniqueFd directory);
  void close() { directory_ = os::Cgroup(); }
  [[nodiscard]] bool active() const noexcept { return static_cast<bool>(directory_); }
  [[nodiscard]] const os::Cgroup& directory() const noexcept { return directory_; }

  struct Taken {
    std::uint32_t leaf = none;
    os::UniqueFd fd;
    int sys_errno = 0;
  };
  /// An empty leaf for a new command.
  [[nodiscard]] Taken take();
  /// It was used, is empty now and was never killed.
  void give_back(std::uint32_t leaf);
  /// It is not used again: removed now, or tried again until it can be.
  void discard(std::uint32_t leaf);

  [[nodiscard]] os::Population population(std::uint32_t leaf) const;
  /// SIGKILL to everything in it; discard it afterwards. 0 or the errno.
  [[nodiscard]] int kill(std::uint32_t leaf) const;
  /// A signal to each process in it but those of `but_group`. A fork under way may escape it; SIGKILL goes by kill().
  void signal(std::uint32_t leaf, int signal, pid_t but_group) const;
  /// Processes in it.
  [[nodiscard]] std::uint32_t count(std::uint32_t leaf) const;

  [[nodiscard]] std::int64_t due_ns() const noexcept { return due_ns_; }
  /// Removes what could not be removed before.
  void try_again(std::int64_t now);
  /// At the end: kills and removes everything in the directory, the directory itself and its parent if it was the last.
  void remove_all(std::int64_t until_ns) const {
    if (active()) end_group(directory_, until_ns);
  }

 private:
  static constexpr std::uint32_t idle_max = 256;
  [[nodiscard]] os::Cgroup at(std::uint32_t leaf) const;

  os::Cgroup directory_;
  std::array<std::uint32_t, idle_max> idle_;  ///< The one used last on top.
  std::uint32_t idle_count_ = 0;
  std::uint32_t next_ = 0;
  Region<std::uint32_t> old_;  ///< Could not be removed yet.
  std::uint32_t old_count_ = 0;
  std::int64_t due_ns_ = never;
  std::int64_t pause_ns_ = 0;
};

}  // namespace netrunner::shepherd
