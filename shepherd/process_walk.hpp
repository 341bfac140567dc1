#pragma once
/// Descendants, by /proc. Numbers that it gives may be stale at once, unless the process is an unreaped child of ours.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/types.h>

#include "shepherd/limits.hpp"

namespace netrunner::shepherd {

/// /proc shows our own process namespace: else its numbers are other processes', and nothing here may be believed.
[[nodiscard]] bool proc_is_ours() noexcept;

/// Calls `visit` with each of our own children that fell to us; where one thread does everything, see main.cpp, with
/// the leaders too. None of them may be reaped meanwhile: then the list is exact, and in the order in which they became
/// ours (the kernel finds its place in it by counting). False: they can't be listed.
bool each_orphan(void* context, void (*visit)(void* context, pid_t child));

/// Processes found by walking down, breadth first.
class Walk {
 public:
  struct Found {
    pid_t pid, parent;
  };
  /// From the orphans on. `skip`: those that are passed over with all below them (the leaders of running commands).
  [[nodiscard]] bool descend_from_orphans(void* context, bool (*skip)(void* context, pid_t child));
  /// From the children of `root` on.
  [[nodiscard]] bool descend_from(pid_t root);
  [[nodiscard]] std::span<const Found> found() const noexcept { return {found_.data(), count_}; }
  [[nodiscard]] bool complete() const noexcept { return complete_; }

 private:
  struct Visit;
  void add(pid_t pid, pid_t parent);
  void begin() noexcept;
  void go_down();
  std::array<Found, walk_processes_max> found_;
  std::size_t count_ = 0;
  bool complete_ = true;
};

}  // namespace netrunner::shepherd
