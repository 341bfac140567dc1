/// The limits of <netrunner/netrunner.h>, named one by one: a struct could not tell 0 from "not asked for".

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <netrunner/blocking.hpp>

#include "engine/api/c_bridge.hpp"

namespace netrunner::c {
namespace {

constexpr double per_cpu = 1000;

/// What is too large stays too large, and is refused by the start.
std::uint32_t weight_of(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, UINT32_MAX));
}

/// False: there is no such limit.
bool set(Limits& limits, nr_limit which, std::uint64_t value) {
  switch (which) {
    case NR_LIMIT_MEMORY_MAX: limits.memory_max = value; return true;
    case NR_LIMIT_MEMORY_HIGH: limits.memory_high = value; return true;
    case NR_LIMIT_MEMORY_LOW: limits.memory_low = value; return true;
    case NR_LIMIT_MEMORY_MIN: limits.memory_min = value; return true;
    case NR_LIMIT_SWAP_MAX: limits.swap_max = value; return true;
    case NR_LIMIT_OOM_GROUP: limits.oom_group = value != 0; return true;
    case NR_LIMIT_PIDS_MAX: limits.pids_max = value; return true;
    case NR_LIMIT_CPU_QUOTA:
      limits.cpu_quota = value == NR_UNLIMITED ? std::numeric_limits<double>::infinity()
                                               : static_cast<double>(value) / per_cpu;
      return true;
    case NR_LIMIT_CPU_WEIGHT: limits.cpu_weight = weight_of(value); return true;
    case NR_LIMIT_CPU_IDLE: limits.cpu_idle = value != 0; return true;
    case NR_LIMIT_IO_WEIGHT: limits.io_weight = weight_of(value); return true;
    case NR_LIMIT_CPU_TIME:
      limits.cpu_time = value >= static_cast<std::uint64_t>(INT64_MAX) ? Nanoseconds::max()
                                                                       : Nanoseconds(static_cast<std::int64_t>(value));
      return true;
  }
  return false;
}

std::optional<std::uint64_t> from_quota(const std::optional<double>& cpus) {
  if (!cpus) return std::nullopt;
  return *cpus > 1e9 ? NR_UNLIMITED : static_cast<std::uint64_t>(std::llround(*cpus * per_cpu));
}

std::optional<std::uint64_t> get(const Limits& limits, nr_limit which) {
  switch (which) {
    case NR_LIMIT_MEMORY_MAX: return limits.memory_max;
    case NR_LIMIT_MEMORY_HIGH: return limits.memory_high;
    case NR_LIMIT_MEMORY_LOW: return limits.memory_low;
    case NR_LIMIT_MEMORY_MIN: return limits.memory_min;
    case NR_LIMIT_SWAP_MAX: return limits.swap_max;
    case NR_LIMIT_OOM_GROUP: return limits.oom_group;
    case NR_LIMIT_PIDS_MAX: return limits.pids_max;
    case NR_LIMIT_CPU_QUOTA: return from_quota(limits.cpu_quota);
    case NR_LIMIT_CPU_WEIGHT: return limits.cpu_weight;
    case NR_LIMIT_CPU_IDLE: return limits.cpu_idle;
    case NR_LIMIT_IO_WEIGHT: return limits.io_weight;
    case NR_LIMIT_CPU_TIME: return std::nullopt;
  }
  return std::nullopt;
}

Error no_such(nr_limit which) {
  return invalid("nr_limit " + std::to_string(static_cast<int>(which)), "not one of its enumeration");
}

std::vector<int> numbers(const int* list, std::size_t count) {
  return count == 0 ? std::vector<int>() : std::vector<int>(list, list + count);
}

}  // namespace
}  // namespace netrunner::c

namespace c = netrunner::c;
using netrunner::LimitPolicy;
using netrunner::Limits;

extern "C" {

void nr_command_limit(nr_command* command, nr_limit limit, uint64_t value) {
  NR_ASSERT(command != nullptr);
  const auto& spec = command->command.spec();
  Limits limits = spec.limits;
  if (!c::set(limits, limit, value)) {
    if (!command->wrong) command->wrong = c::no_such(limit);
    return;
  }
  command->command = command->command.limits(std::move(limits), spec.limit_policy);
}

void nr_command_cpuset(nr_command* command, const int* cpus, size_t cpu_count, const int* nodes, size_t node_count) {
  NR_ASSERT(command != nullptr);
  const auto& spec = command->command.spec();
  Limits limits = spec.limits;
  limits.cpuset_cpus = c::numbers(cpus, cpu_count);
  limits.cpuset_mems = c::numbers(nodes, node_count);
  command->command = command->command.limits(std::move(limits), spec.limit_policy);
}

void nr_command_limits_best_effort(nr_command* command) {
  NR_ASSERT(command != nullptr);
  command->command = command->command.limits(command->command.spec().limits, LimitPolicy::best_effort);
}

nr_code nr_process_set_limit(nr_process* process, nr_limit limit, uint64_t value, int64_t timeout_ns,
                             nr_error* error) {
  NR_ASSERT(process != nullptr);
  Limits limits;
  if (!c::set(limits, limit, value)) return c::fail(c::no_such(limit), error);
  const auto done = netrunner::blocking::get(process->process.set_limits(limits), c::deadline_of(timeout_ns));
  return c::code_of(done, error);
}

nr_code nr_process_limit(nr_process* process, nr_limit limit, int64_t timeout_ns, uint64_t* value, nr_error* error) {
  NR_ASSERT(process != nullptr && value != nullptr);
  const auto now = netrunner::blocking::get(process->process.limits(), c::deadline_of(timeout_ns));
  if (!now) return c::fail(now.error(), error);
  const auto found = c::get(*now, limit);
  if (!found) {
    return c::fail({netrunner::ErrorCode::not_found, netrunner::Stage::cgroup, 0, "nr_limit " + std::to_string(limit),
                    "the command has no group that holds it"}, error);
  }
  *value = *found;
  return NR_OK;
}

}  // extern "C"
