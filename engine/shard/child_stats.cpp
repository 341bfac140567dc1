/// What a command's figures are, while it lives and after.

#include <algorithm>

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
  if (usage == WithUsage::yes && life_ == shard::Life::running) {
    const auto used = os::usage_of(pidfd_.get(), ended_.pid);
    if (used) stats.usage = {used->user_us, used->system_us, used->max_rss_kib};
  }
  return stats;
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
