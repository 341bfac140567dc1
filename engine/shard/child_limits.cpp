/// What limits and accounting mean for a command's life: its groups, its figures, and whether it ran out of memory.

#include <signal.h>

#include <algorithm>
#include <utility>

#include <netrunner/awaitable.hpp>

#include "engine/containment/limit_files.hpp"
#include "engine/shard/child.hpp"
#include "engine/shard/shard.hpp"

namespace netrunner::detail {

/// False: that was an error, and is told.
bool Child::prepare_limits() {
  containment::LimitPlan& plan = *plan_->limits;
  auto prepared = rooms_.shard.prepare_limits(*plan_->limit_places, plan.hierarchies);
  if (prepared) return true;
  if (spec().limit_policy == LimitPolicy::required) {
    fail_start(std::move(prepared).error());
    return false;
  }
  plan_->fixed.hierarchies = 0;
  for (LimitOutcome& outcome : plan.outcomes) {
    if (!outcome.applied()) continue;
    outcome.by.clear();
    outcome.why_not = prepared.error().message();
  }
  return true;
}

void Child::note_limits(const wire::StartedFixed& started) {
  limits_.started(started, plan_->fixed.hierarchies);
  if (plan_->limits == nullptr) return;
  containment::LimitPlan& plan = *plan_->limits;
  for (std::size_t i = 0; i < plan.writes.size(); ++i) {
    if ((started.refused_writes >> i & 1U) != 0) containment::note_refused(plan, i, EINVAL);
  }
  ended_.limits = std::move(plan.outcomes);
  plan_->limits.reset();
}

void Child::set_limits(Verb& verb) {
  if (leader_has_exited() || has_ended() || lost_ns_ != 0) {
    return rooms_.verbs.fail(verb, ErrorCode::already_exited, "the command has exited");
  }
  containment::LimitPlan& plan = verb.order->plan;
  if (plan.cpu_time_ns != 0 && limits_.has_clock()) {
    rooms_.link.set_cpu_time(id_, plan.cpu_time_ns);
  } else if (plan.cpu_time_ns != 0) {
    const Error error{ErrorCode::limit_unavailable, Stage::cgroup, 0, "cpu_time",
                      "the command was started without a group that counts its CPU time"};
    if (verb.order->policy == LimitPolicy::required) return rooms_.verbs.fail(verb, error);
    LimitOutcome& outcome = plan.outcomes.back();  // The last to be planned.
    outcome.by.clear();
    outcome.why_not = error.message();
  }
  limits_.set(verb);
}

void Child::note_usage(const os::CgroupUsage& counted) {
  containment::apply_usage(counted, ended_.usage);
  if ((counted.known & os::CgroupUsage::oom) == 0) return;
  ended_.oom_kills = counted.oom_kills;
  ended_.memory_limit_met = counted.memory_limit_met != 0;
}

bool Child::is_killed_by_oom() const {
  const auto* signaled = std::get_if<Signaled>(&ended_.status);
  if (signaled == nullptr || signaled->signal != SIGKILL || ended_.oom_kills == 0) return false;
  return std::ranges::none_of(ended_.signals, [](const SignalSent& sent) { return sent.signal == SIGKILL; });
}

EndReason Child::reason() const {
  if (cause_) return *cause_;
  if (is_killed_by_oom()) return EndReason::out_of_memory;
  return std::holds_alternative<Signaled>(ended_.status) ? EndReason::signaled : EndReason::exited;
}

}  // namespace netrunner::detail
