#include "engine/containment/limit_plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

namespace netrunner::containment {
namespace {

constexpr std::uint64_t period_us = 100'000;
constexpr std::uint64_t quota_us_min = 1000;  // The kernel's min_cfs_quota_period.

/// A value of one file.
struct Setting {
  const char* file;
  std::string value;
};

/// How a limit is said in v1: in files, or not at all.
struct V1 {
  std::vector<Setting> settings;
  const char* why_not = nullptr;
};

/// Of the hierarchy's own group, without our instance's name: for people.
std::string home_of(const LimitGround& ground, os::Hierarchy hierarchy) {
  const std::string path = ground.path_of(hierarchy);
  return path.substr(0, path.rfind("/netrunner-"));
}

std::string or_max(std::uint64_t value) { return value == Limits::unlimited ? "max" : std::to_string(value); }
std::string or_minus_one(std::uint64_t value) { return value == Limits::unlimited ? "-1" : std::to_string(value); }

std::string listed(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

std::string in_words(double value) {
  char text[32];
  (void)std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::uint64_t quota_us(double cpus) {
  const double wanted = cpus * static_cast<double>(period_us);
  return wanted >= 1e15 ? static_cast<std::uint64_t>(1e15)
                        : std::max(quota_us_min, static_cast<std::uint64_t>(std::llround(wanted)));
}

/// BFQ's weights end at 1000.
std::uint32_t bfq_weight(std::uint32_t weight) { return weight <= 100 ? weight : 100 + (weight - 100) * 900 / 9900; }

class Planner {
 public:
  Planner(const Limits& limits, LimitPolicy policy, LimitGround& ground)
      : limits_(limits), policy_(policy), ground_(ground) {}

  Result<LimitPlan> plan() {
    add_memory();
    add_pids();
    add_cpu();
    add_io();
    add_cpuset();
    add_cpu_time();
    if (failure_) return std::unexpected(*std::move(failure_));
    return std::move(plan_);
  }

 private:
  void add_memory() {
    constexpr const char* v2_only = "the v1 memory controller has no such limit; the v2 one has";
    const auto bytes = [&](const char* limit, const char* file, const std::optional<std::uint64_t>& value) {
      if (value) add(limit, std::to_string(*value), Controller::memory, {{file, or_max(*value)}}, {{}, v2_only});
    };
    if (limits_.memory_max) {
      add("memory_max", std::to_string(*limits_.memory_max), Controller::memory,
          {{"memory.max", or_max(*limits_.memory_max)}},
          {{{"memory.limit_in_bytes", or_minus_one(*limits_.memory_max)}}});
    }
    bytes("memory_high", "memory.high", limits_.memory_high);
    bytes("memory_low", "memory.low", limits_.memory_low);
    bytes("memory_min", "memory.min", limits_.memory_min);
    if (limits_.swap_max) {
      add("swap_max", std::to_string(*limits_.swap_max), Controller::memory,
          {{"memory.swap.max", or_max(*limits_.swap_max)}}, swap_in_v1());
    }
    if (limits_.oom_group) {
      add("oom_group", *limits_.oom_group ? "1" : "0", Controller::memory,
          {{"memory.oom.group", *limits_.oom_group ? "1" : "0"}}, {{}, v2_only});
    }
  }

  /// v1 limits memory and swap together, never below the limit of memory: both are set anew, the sum last.
  V1 swap_in_v1() {
    constexpr const char* together = "the v1 memory controller limits memory and swap together: set memory_max too";
    if (!limits_.memory_max) return {{}, together};
    const std::uint64_t memory = *limits_.memory_max, swap = *limits_.swap_max;
    const bool none = memory == Limits::unlimited || swap >= Limits::unlimited - memory;
    const std::string both = or_minus_one(none ? Limits::unlimited : memory + swap);
    if (!plan_.writes.empty() && plan_.writes.back().file == "memory.limit_in_bytes") {
      plan_.writes.insert(plan_.writes.end() - 1, {os::Hierarchy::memory, "memory.memsw.limit_in_bytes", "-1",
                                                   plan_.outcomes.size()});
    }
    return {{{"memory.memsw.limit_in_bytes", both}}};
  }

  void add_pids() {
    if (!limits_.pids_max) return;
    add("pids_max", std::to_string(*limits_.pids_max), Controller::pids, {{"pids.max", or_max(*limits_.pids_max)}},
        {{{"pids.max", or_max(*limits_.pids_max)}}});
  }

  void add_cpu() {
    if (limits_.cpu_quota) {
      const bool none = std::isinf(*limits_.cpu_quota);
      const std::string quota = std::to_string(quota_us(*limits_.cpu_quota));
      const std::string period = std::to_string(period_us);
      add("cpu_quota", in_words(*limits_.cpu_quota), Controller::cpu,
          {{"cpu.max", (none ? "max" : quota) + " " + period}},
          {{{"cpu.cfs_period_us", period}, {"cpu.cfs_quota_us", none ? "-1" : quota}}});
    }
    // A group that is idle takes no weight: out of it first, into it last.
    const bool idle = limits_.cpu_idle.value_or(false);
    if (!idle) add_idle();
    if (limits_.cpu_weight) {
      const std::uint64_t shares = std::max<std::uint64_t>(2, std::uint64_t{*limits_.cpu_weight} * 1024 / 100);
      add("cpu_weight", std::to_string(*limits_.cpu_weight), Controller::cpu,
          {{"cpu.weight", std::to_string(*limits_.cpu_weight)}}, {{{"cpu.shares", std::to_string(shares)}}});
    }
    if (idle) add_idle();
  }

  void add_idle() {
    if (!limits_.cpu_idle) return;
    const std::string value = *limits_.cpu_idle ? "1" : "0";
    add("cpu_idle", value, Controller::cpu, {{"cpu.idle", value}}, {{{"cpu.idle", value}}});
  }

  void add_io() {
    if (!limits_.io_weight) return;
    const std::string weight = std::to_string(*limits_.io_weight);
    const std::string bfq = std::to_string(bfq_weight(*limits_.io_weight));
    // Which of the two is there depends on how the kernel was built.
    const Result<os::Hierarchy> place = ground_.place_of(Controller::io);
    const bool v2_bfq = place && !ground_.has_file(*place, "io.weight") && ground_.has_file(*place, "io.bfq.weight");
    const bool v1_bfq = place && ground_.has_file(*place, "blkio.bfq.weight");
    add("io_weight", weight, Controller::io, {{v2_bfq ? "io.bfq.weight" : "io.weight", v2_bfq ? bfq : weight}},
        {{{v1_bfq ? "blkio.bfq.weight" : "blkio.weight", bfq}}});
  }

  /// v1 wants both, and takes nobody into a group that lacks one.
  void add_cpuset() {
    const auto one = [&](const char* limit, const char* file, const std::vector<int>& numbers, const char* other,
                         const std::vector<int>& others) {
      if (numbers.empty()) return;
      V1 v1{{{file, listed(numbers)}}};
      const Result<os::Hierarchy> place = ground_.place_of(Controller::cpuset);
      if (others.empty() && place && *place == os::Hierarchy::cpuset) {
        v1.settings.push_back({other, ground_.text_of(*place, other)});
      }
      add(limit, listed(numbers), Controller::cpuset, {{file, listed(numbers)}}, v1);
    };
    one("cpuset_cpus", "cpuset.cpus", limits_.cpuset_cpus, "cpuset.mems", limits_.cpuset_mems);
    one("cpuset_mems", "cpuset.mems", limits_.cpuset_mems, "cpuset.cpus", limits_.cpuset_cpus);
  }

  void add_cpu_time() {
    if (!limits_.cpu_time) return;
    begin("cpu_time", std::to_string(limits_.cpu_time->count()));
    const auto needed = ground_.cpu_clock();
    if (!needed) return refuse(needed.error());
    plan_.hierarchies |= *needed;
    plan_.cpu_time_ns = limits_.cpu_time->count();
    plan_.outcomes.back().by = "shepherd";
    plan_.outcomes.back().where =
        os::has(*needed, os::Hierarchy::cpuacct) ? ground_.path_of(os::Hierarchy::cpuacct) + " (cpuacct.usage)"
                                                 : ground_.path_of(os::Hierarchy::unified) + " (cpu.stat)";
  }

  void add(const char* limit, std::string value, Controller controller, const std::vector<Setting>& v2, const V1& v1) {
    begin(limit, std::move(value));
    const auto place = ground_.place_of(controller);
    if (!place) return refuse(place.error());
    const bool unified = *place == os::Hierarchy::unified;
    if (!unified && v1.why_not != nullptr) {
      return refuse({ErrorCode::limit_unavailable, Stage::cgroup, 0, home_of(ground_, *place), v1.why_not});
    }
    const std::vector<Setting>& settings = unified ? v2 : v1.settings;
    for (const Setting& setting : settings) {
      if (!ground_.has_file(*place, setting.file)) return refuse(no_file(*place, setting.file));
    }
    for (const Setting& setting : settings) {
      plan_.writes.push_back({*place, setting.file, setting.value, plan_.outcomes.size() - 1});
    }
    plan_.hierarchies |= os::bit_of(*place);
    plan_.outcomes.back().by = unified ? "cgroup v2" : "cgroup v1";
    plan_.outcomes.back().where = ground_.path_of(*place);
  }

  [[nodiscard]] Error no_file(os::Hierarchy hierarchy, const std::string& file) const {
    const std::string where = file + " below " + home_of(ground_, hierarchy);
    Error error{ErrorCode::limit_unavailable, Stage::cgroup, ENOENT, where, {}};
    if (file.find("swap") != std::string::npos || file.find("memsw") != std::string::npos) {
      error.advice = "the kernel doesn't count swap: boot with swapaccount=1, or leave swap_max out";
    } else if (file.find("weight") != std::string::npos && file.find("cpu") == std::string::npos) {
      error.advice = "the kernel was built without weights for block devices (BLK_CGROUP_IOCOST or BFQ_GROUP_IOSCHED)";
    } else {
      error.advice = "this kernel's controller has no such file: it is older, or was built without it";
    }
    return error;
  }

  void begin(const char* limit, std::string value) { plan_.outcomes.push_back({limit, std::move(value), {}, {}, {}}); }

  void refuse(Error why) {
    LimitOutcome& outcome = plan_.outcomes.back();
    std::erase_if(plan_.writes, [this](const LimitPlan::Write& write) {
      return write.limit == plan_.outcomes.size() - 1;  // Of a limit that is said in several.
    });
    outcome.why_not = why.message();
    if (policy_ == LimitPolicy::best_effort || failure_) return;
    why.code = ErrorCode::limit_unavailable;
    why.subject = outcome.limit + (why.subject.empty() ? "" : ": " + why.subject);
    failure_ = std::move(why);
  }

  const Limits& limits_;
  LimitPolicy policy_;
  LimitGround& ground_;
  LimitPlan plan_;
  std::optional<Error> failure_;
};

const char* advice_of(int sys_errno) {
  switch (sys_errno) {
    case EINVAL: return "the kernel finds the value wrong here: out of range, or against another limit of the group";
    case EBUSY: return "more is in use than the limit allows, and it could not be reclaimed";
    case ENOSPC: return "none of these CPUs or nodes is left to the group";
    case EACCES: case EPERM: return "the file isn't this user's to write: the group isn't delegated";
    case ENODEV: case ENOENT: return "the group has gone";
    default: return "";
  }
}

}  // namespace

Result<LimitPlan> plan_limits(const Limits& limits, LimitPolicy policy, LimitGround& ground) {
  return Planner(limits, policy, ground).plan();
}

Error write_refused(const LimitPlan& plan, std::size_t write, int sys_errno) {
  NR_ASSERT(write < plan.writes.size());
  const LimitPlan::Write& refused = plan.writes[write];
  const LimitOutcome& outcome = plan.outcomes[refused.limit];
  Error error = system_error(outcome.limit + ": \"" + refused.value + "\" to " + refused.file + " below " +
                                 outcome.where,
                             Stage::cgroup, sys_errno);
  error.code = ErrorCode::limit_unavailable;
  error.advice = advice_of(sys_errno);
  return error;
}

void note_refused(LimitPlan& plan, std::size_t write, int sys_errno) {
  const std::string why = write_refused(plan, write, sys_errno).message();
  LimitOutcome& outcome = plan.outcomes[plan.writes[write].limit];
  outcome.by.clear();
  outcome.why_not = why;
}

}  // namespace netrunner::containment
