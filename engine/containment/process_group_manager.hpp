#pragma once

#include <cstdint>

namespace netrunner::containment {

/// What the host itself can reach of a lost shepherd's commands where there is no cgroup: whatever carries its mark.
/// Leaders die by their pidfds and by PDEATHSIG; this is for those that left group and session. What cleared its
/// environment as well can't be told from a stranger's. Stateless; any thread.
class ProcessGroupManager {
 public:
  /// Freezes, then kills all of them. Returns how many there still were: 0 when it is done.
  [[nodiscard]] static std::uint32_t kill_marked(std::uint64_t shepherd_mark) noexcept;
};

}  // namespace netrunner::containment
