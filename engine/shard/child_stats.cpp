/// What a command's figures are, while it lives and after.

#include <algorithm>

#include "engine/containment/limit_files.hpp"
#include "engine/os/process_usage.hpp"
#include "engine/shard/child.hpp"
#include "engine/shard/shard.hpp"

namespace netrunner::detail {

static_assert(static_cast<int>(shard::Life::starting) == static_cast<int>(CommandState::starting));
static_assert(static_cast<int>(shard::Life::settling) == static_cast<int>(CommandState::settling));
static_assert(static_cast<int>(shard::Life::ended) == static_cast<int>(CommandState::ended));

ProcessStats Child::process_stats(WithUsage usage) const {
  ProcessStats stats;
  stats.pid = ended_.pid;
  stats.exited = leader_has_exited();
  stats.streams = streams_.stats();
  stats.timeline = ended_.timeline;
  stats.id = number_;
  stats.shard = rooms_.shard.index();
  stats.program = spec().program;
  stats.state = static_cast<CommandState>(life_);
  stats.reason = has_ended() ? ended_.reason : cause_;
  stats.detached = detached_;
  stats.containment = ended_.containment;
  stats.signals_sent = static_cast<std::uint32_t>(ended_.signals.size());
  stats.usage = ended_.usage;
  if (usage == WithUsage::yes && life_ == shard::Life::running) add_usage(stats);
  return stats;
}

void Child::add_usage(ProcessStats& stats) const {
  using os::CgroupUsage;
  const containment::CommandGroups groups = limits_.open();
  const CgroupUsage counted = limits_.usage(groups);
  const os::Cgroup& unified = groups[static_cast<std::size_t>(os::Hierarchy::unified)];
  const auto cpu_pressure = containment::read_pressure(unified, "cpu.pressure");
  const auto memory_pressure = containment::read_pressure(unified, "memory.pressure");
  const auto io_pressure = containment::read_pressure(unified, "io.pressure");
  // Last: a leaf is the next command's as soon as the shepherd has seen the end of this one.
  const auto used = os::usage_of(pidfd_.get(), ended_.pid);
  if (!used) return;
  stats.usage.user_us = used->user_us;
  stats.usage.system_us = used->system_us;
  stats.usage.max_rss_kib = used->max_rss_kib;
  containment::apply_usage(counted, stats.usage);
  if ((counted.known & CgroupUsage::memory_now) != 0) stats.memory_bytes = counted.memory_now_bytes;
  if ((counted.known & CgroupUsage::pids_now) != 0) stats.processes = counted.pids_now_count;
  stats.cpu_pressure = cpu_pressure;
  stats.memory_pressure = memory_pressure;
  stats.io_pressure = io_pressure;
}

void Child::set_quarantined(bool quarantined) {
  if (quarantined == quarantined_) return;
  quarantined_ = quarantined;
  quarantined ? ++rooms_.stats.quarantined : --rooms_.stats.quarantined;
}

void Child::cut_streams() {
  set_quarantined(false);
  streams_.cut();
}

}  // namespace netrunner::detail
