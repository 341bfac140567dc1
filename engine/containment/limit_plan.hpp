#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <netrunner/cgroup_limits.hpp>
#include <netrunner/error.hpp>

#include "engine/containment/controller.hpp"

namespace netrunner::containment {

/// What a command's limits mean in files: a value, decided before anything is started.
struct LimitPlan {
  struct Write {
    os::Hierarchy hierarchy{};
    std::string file, value;
    std::size_t limit = 0;  ///< Index in `outcomes`.
  };
  std::uint32_t hierarchies = 0;  ///< Where it needs a group of its own.
  std::vector<Write> writes;      ///< In this order.
  std::vector<LimitOutcome> outcomes;
  std::int64_t cpu_time_ns = 0;   ///< 0: no limit.
};

/// With LimitPolicy::required the first limit that can't be had is the error; its subject begins with the limit's name.
[[nodiscard]] Result<LimitPlan> plan_limits(const Limits& limits, LimitPolicy policy, LimitGround& ground);

/// A write that was refused: the error by name.
[[nodiscard]] Error write_refused(const LimitPlan& plan, std::size_t write, int sys_errno);
/// The same as the outcome of the limit.
void note_refused(LimitPlan& plan, std::size_t write, int sys_errno);

}  // namespace netrunner::containment
