#pragma once

#include <cstdint>
#include <span>
#include <sys/types.h>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

enum class Population : std::uint8_t { empty, populated, unknown };

/// What cgroup.events says.
struct GroupEvents {
  Population population = Population::unknown;
  /// Whoever is in it, or is born in it, stands still: cgroup.freeze, its own or of a group above it.
  bool frozen = false;
};

/// One directory of the cgroup v2 hierarchy, by descriptor; or of a v1 hierarchy, which has no kill(), freeze() and
/// population(). See cgroups(7). No heap: the shepherd uses it too.
class Cgroup {
 public:
  static constexpr std::uint32_t depth_max = 32;  ///< Of groups that commands made in their own.

  Cgroup() noexcept = default;
  explicit Cgroup(UniqueFd directory) noexcept : directory_(std::move(directory)) {}
  [[nodiscard]] static Result<Cgroup> open(const char* path);
  [[nodiscard]] Result<Cgroup> open_child(const char* name) const;
  /// mkdir(2), or the one that is there, and open.
  [[nodiscard]] Result<Cgroup> make_child(const char* name) const;

  [[nodiscard]] int fd() const noexcept { return directory_.get(); }
  [[nodiscard]] UniqueFd release() noexcept { return std::move(directory_); }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(directory_); }

  /// SIGKILL to every process in it and below, forks under way included: cgroup.kill (Linux 5.14). 0 or the errno.
  /// A group that was ever killed must not be used for CLONE_INTO_CGROUP again: the kernel kills at birth there.
  [[nodiscard]] int kill() const noexcept;
  /// cgroup.freeze. 0 or the errno.
  [[nodiscard]] int freeze(bool frozen) const noexcept;
  /// cgroup.events, or a child's: "NAME/cgroup.events". A group that has gone is empty. The file says so at once; its
  /// notification may come 15 ms late.
  [[nodiscard]] GroupEvents events(const char* file = "cgroup.events") const noexcept;
  [[nodiscard]] Population population() const noexcept { return events().population; }
  /// Calls `found(context, pid)` for each process in it and below. False: it could not be read.
  bool for_each_process(void* context, void (*found)(void* context, pid_t pid)) const noexcept;
  /// rmdir(2) of a child and all groups below it, deepest first. 0, or the errno: EBUSY while a process is in it.
  [[nodiscard]] int remove_child(const char* name) const noexcept;

  /// The whole value of one of its files. 0 or the errno.
  [[nodiscard]] int write(const char* file, const char* value) const noexcept;
  /// A file's text, cut to the buffer and ended by NUL; empty where it can't be read. False: it can't.
  [[nodiscard]] bool read(const char* file, std::span<char> text) const noexcept;
  [[nodiscard]] bool has(const char* file) const noexcept;

 private:
  bool visit_processes(void* context, void (*found)(void* context, pid_t pid), std::uint32_t depth) const noexcept;
  static int remove_below(int parent, const char* name, std::uint32_t depth) noexcept;
  UniqueFd directory_;
};

/// remove_child() of a parent that may have gone, and its child with it.
[[nodiscard]] int remove_child_of(const Result<Cgroup>& parent, const char* name) noexcept;

}  // namespace netrunner::os
