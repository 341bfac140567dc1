#include <netrunner/cgroup_limits.hpp>

#include <limits>

#include "engine/containment/limit_places.hpp"
#include "engine/containment/limit_plan.hpp"

namespace netrunner {
namespace {

/// Every limit, at a value that limits nothing.
Limits all_limits() {
  Limits limits;
  limits.memory_max = limits.memory_high = Limits::unlimited;
  limits.memory_low = limits.memory_min = 0;
  limits.swap_max = Limits::unlimited;
  limits.oom_group = limits.cpu_idle = false;
  limits.pids_max = Limits::unlimited;
  limits.cpu_quota = std::numeric_limits<double>::infinity();
  limits.cpu_weight = limits.io_weight = 100;
  limits.cpuset_cpus = limits.cpuset_mems = {0};
  limits.cpu_time = Nanoseconds::max();
  return limits;
}

}  // namespace

std::vector<LimitOutcome> available_limits() {
  const auto leaves = containment::CgroupManager::open();
  auto places = containment::LimitPlaces::open(leaves ? leaves->get() : nullptr);
  if (!places) return {};
  auto plan = containment::plan_limits(all_limits(), LimitPolicy::best_effort, **places);
  if (!plan) return {};
  for (LimitOutcome& outcome : plan->outcomes) outcome.value.clear();
  return std::move(plan->outcomes);
}

}  // namespace netrunner
