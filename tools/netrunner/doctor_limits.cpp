/// What `netrunner doctor` says of limits: for each controller where it is had from, or why not.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <netrunner/cgroup_limits.hpp>

#include "tools/netrunner/doctor_finding.hpp"

namespace netrunner::tool {
namespace {

struct Group {
  std::string_view name;
  std::vector<std::string_view> limits;
};

Finding finding_of(const Group& group, const std::vector<LimitOutcome>& all) {
  Finding finding{.name = "limits: " + std::string(group.name), .value = {}, .advice = {}};
  std::string had, missing, where;
  for (const LimitOutcome& outcome : all) {
    const bool here = std::find(group.limits.begin(), group.limits.end(), outcome.limit) != group.limits.end();
    if (!here) continue;
    std::string& list = outcome.applied() ? had : missing;
    list += (list.empty() ? "" : ", ") + outcome.limit;
    if (outcome.applied()) {
      where = outcome.by + " at " + outcome.where.substr(0, outcome.where.rfind("/netrunner-"));
    } else if (finding.advice.empty()) {
      finding.advice = outcome.limit + ": " + outcome.why_not;
    }
  }
  finding.value = had.empty() ? "none" : had + " by " + where;
  if (!missing.empty() && !had.empty()) finding.value += "; not: " + missing;
  if (!missing.empty()) finding.health = had.empty() ? Health::missing : Health::degraded;
  return finding;
}

}  // namespace

Findings limit_findings() {
  const std::array<Group, 6> groups = {{
      {"memory", {"memory_max", "swap_max", "memory_high", "memory_low", "memory_min", "oom_group"}},
      {"processes", {"pids_max"}},
      {"cpu", {"cpu_quota", "cpu_weight", "cpu_idle"}},
      {"cpuset", {"cpuset_cpus", "cpuset_mems"}},
      {"io", {"io_weight"}},
      {"cpu time", {"cpu_time"}},
  }};
  const std::vector<LimitOutcome> all = available_limits();
  Findings findings;
  for (const Group& group : groups) findings.push_back(finding_of(group, all));
  return findings;
}

}  // namespace netrunner::tool
