#pragma once
/// Groups of ended commands that could not be removed yet: somebody is in them still, on the way out, or a stranger.

#include <cstdint>

#include "engine/os/cgroup.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/limits.hpp"
#include "shepherd/region.hpp"

namespace netrunner::shepherd {

/// The name of a numbered group below one of our directories: 'c' of the containment, 'l' with limits.
struct GroupName {
  GroupName(char kind, std::uint32_t number) noexcept;
  char text[16];
};

/// Removal never ends in silence: what fails is tried again, with a growing pause, and counted.
class Leftovers {
 public:
  /// False: no memory.
  [[nodiscard]] bool open() { return entries_.is_open() || entries_.open(commands_max); }
  /// Removes a group, now or later. `directory` stays where it is until the end.
  void remove(const os::Cgroup& directory, GroupName name);

  [[nodiscard]] std::int64_t due_ns() const noexcept { return due_ns_; }
  void try_again(std::int64_t now);
  /// Those that have been in the way for a while.
  [[nodiscard]] std::uint32_t lasting() const noexcept { return lasting_; }

 private:
  struct Entry {
    const os::Cgroup* directory;
    GroupName name;
    std::int64_t since_ns;
  };
  Region<Entry> entries_;
  std::uint32_t count_ = 0, lasting_ = 0;
  std::int64_t due_ns_ = never;
  std::int64_t pause_ns_ = 0;
};

}  // namespace netrunner::shepherd
