/// What a command's groups have counted, and the limit of its CPU time.

#include <unistd.h>

#include <algorithm>

#include "shepherd/shepherd.hpp"

namespace netrunner::shepherd {
namespace {

std::int64_t processors() {
  static const std::int64_t count = std::max<std::int64_t>(::sysconf(_SC_NPROCESSORS_ONLN), 1);
  return count;
}

}  // namespace

// A leaf that was used before has counted for others: what it said then is taken off.
os::CgroupUsage Shepherd::usage_of(Child& child) {
  os::CgroupUsage usage;
  if (has_leaf(child)) {
    usage = leaves_.usage(child.leaf);
    child.counted = {usage.user_us, usage.system_us};
    usage.user_us -= std::min(usage.user_us, child.before.user_us);
    usage.system_us -= std::min(usage.system_us, child.before.system_us);
  }
  if (child.limit_group != LimitGroups::none) limits_.read(child.limit_group, child.hierarchies, usage);
  return usage;
}

// Every processor may spend on it at once: no look later than that would bring it to the limit.
void Shepherd::look_at_cpu_time(Child& child, std::int64_t now) {
  const os::CgroupUsage usage = usage_of(child);
  const auto used_ns = static_cast<std::int64_t>((usage.user_us + usage.system_us) * 1000);
  if (used_ns >= child.cpu_time_ns) {
    child.cpu_look_ns = never;
    return say_limit_met(child.id);
  }
  child.cpu_look_ns = now + std::clamp((child.cpu_time_ns - used_ns) / processors(), cpu_look_min_ns, cpu_look_max_ns);
}

void Shepherd::watch_cpu_time(Child& child) {
  if (child.cpu_time_ns == 0) return;
  look_at_cpu_time(child, now_ns());
  arm_clock(child);
}

// The command died on its way to exec, of a signal that nobody sent: its own memory group may say why.
bool Shepherd::ran_out_of_memory(Child& child) {
  return child.hierarchies != 0 && usage_of(child).oom_kills > 0;
}

}  // namespace netrunner::shepherd
