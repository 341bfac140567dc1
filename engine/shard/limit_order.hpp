#pragma once

#include <netrunner/cgroup_limits.hpp>

#include "engine/containment/limit_plan.hpp"

namespace netrunner::detail {

/// New limits for a running command, made ready in the caller's thread.
struct LimitOrder {
  containment::LimitPlan plan;
  LimitPolicy policy = LimitPolicy::required;
};

}  // namespace netrunner::detail
