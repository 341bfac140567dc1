#pragma once

#include <cstdint>
#include <vector>

#include "engine/os/marked_hunt.hpp"

namespace netrunner::containment {

/// What the host itself can reach of lost shepherds' commands where there is no cgroup: whatever carries their marks.
/// Leaders die by their pidfds and by PDEATHSIG; this is for those that left group and session.
/// Owner: one shard. Thread: its own.
class ProcessGroupManager {
 public:
  void hunt(std::uint64_t shepherd_mark) { hunts_.emplace_back(shepherd_mark); }
  [[nodiscard]] bool hunts() const noexcept { return !hunts_.empty(); }
  /// Takes a few milliseconds for each lost shepherd whose commands are not all gone.
  void kill_some();

 private:
  std::vector<os::MarkedHunt> hunts_;
};

}  // namespace netrunner::containment
