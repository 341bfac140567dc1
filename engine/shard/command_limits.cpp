#include "engine/shard/command_limits.hpp"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace netrunner::shard {

using containment::LimitPlan;
using detail::LimitOrder;

namespace {

Error no_group(const LimitOutcome& outcome) {
  return {ErrorCode::limit_unavailable, Stage::cgroup, 0, outcome.limit,
          "the command was started without a group of this controller: give it any limit of the controller at its "
          "start (Limits::unlimited will do)"};
}

}  // namespace

void CommandLimits::started(const wire::StartedFixed& started, std::uint32_t hierarchies) {
  leaf_ = started.leaf;
  limit_group_ = started.limit_group;
  hierarchies_ = limit_group_ == wire::no_group ? 0 : hierarchies;
  user_us_before_ = started.user_us_before;
  system_us_before_ = started.system_us_before;
}

void CommandLimits::lost() noexcept {
  leaf_ = limit_group_ = wire::no_group;
  hierarchies_ = 0;
}

bool CommandLimits::has_clock() const noexcept {
  return leaf_ != wire::no_group || os::has(hierarchies_, os::Hierarchy::unified) ||
         os::has(hierarchies_, os::Hierarchy::cpuacct);
}

containment::CommandGroups CommandLimits::open() const {
  containment::CommandGroups groups = open_limited();
  os::Cgroup& unified = groups[static_cast<std::size_t>(os::Hierarchy::unified)];
  if (!unified && leaf_ != wire::no_group) unified = groups_.leaf(leaf_);
  return groups;
}

os::CgroupUsage CommandLimits::usage(const containment::CommandGroups& open) const {
  os::CgroupUsage usage;
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    const os::Cgroup& group = open[static_cast<std::size_t>(hierarchy)];
    if (group) os::read_usage(group, hierarchy, usage);
  }
  usage.user_us -= std::min(usage.user_us, user_us_before_);
  usage.system_us -= std::min(usage.system_us, system_us_before_);
  return usage;
}

void CommandLimits::set(Verb& verb) {
  if (ended_) return verbs_.fail(verb, ErrorCode::already_exited, "the command has exited");
  waiting_.push(verb);
  begin_next();
}

void CommandLimits::begin_next() {
  while (order_ == nullptr && write_.idle()) {
    verb_ = waiting_.pop();
    if (verb_ == nullptr) return;
    order_.reset(std::exchange(verb_->order, nullptr));
    next_write_ = 0;
    if (strike_what_has_no_group()) write_next();
  }
}

/// False: that was an error.
bool CommandLimits::strike_what_has_no_group() {
  LimitPlan& plan = order_->plan;
  for (LimitPlan::Write& write : plan.writes) {
    LimitOutcome& outcome = plan.outcomes[write.limit];
    if (os::has(hierarchies_, write.hierarchy) || !outcome.applied()) continue;
    if (order_->policy == LimitPolicy::required) {
      verbs_.fail(*std::exchange(verb_, nullptr), no_group(outcome));
      order_.reset();
      return false;
    }
    outcome.by.clear();
    outcome.why_not = no_group(outcome).message();
  }
  std::erase_if(plan.writes, [&](const LimitPlan::Write& write) { return !plan.outcomes[write.limit].applied(); });
  return true;
}

void CommandLimits::write_next() {
  while (verb_ != nullptr && next_write_ < order_->plan.writes.size()) {
    const LimitPlan::Write& write = order_->plan.writes[next_write_];
    const containment::CommandGroups groups = open_limited();
    const os::Cgroup& group = groups[static_cast<std::size_t>(write.hierarchy)];
    file_ = os::UniqueFd(group ? ::openat(group.fd(), write.file.c_str(), O_WRONLY | O_CLOEXEC) : -1);
    if (file_) {
      return write_.arm(reactor_.ring(), file_.get(), std::as_bytes(std::span(write.value)));
    }
    if (!refused(next_write_, group ? errno : ENODEV)) return;
    ++next_write_;
  }
  finish();
}

void CommandLimits::written(void* given, ring::Completion completion) {
  auto& self = *static_cast<CommandLimits*>(given);
  self.file_.reset();
  if (self.verb_ == nullptr) {
    self.finish();
  } else if (completion.result >= 0 || self.refused(self.next_write_, -completion.result)) {
    ++self.next_write_;
    self.write_next();
  }
  self.begin_next();
}

/// False: that ends the order.
bool CommandLimits::refused(std::size_t write, int sys_errno) {
  if (order_->policy == LimitPolicy::best_effort) {
    note_refused(order_->plan, write, sys_errno);
    return true;
  }
  verbs_.fail(*std::exchange(verb_, nullptr), write_refused(order_->plan, write, sys_errno));
  order_.reset();
  return false;
}

void CommandLimits::finish() {
  const std::unique_ptr<LimitOrder> order = std::move(order_);
  Verb* const verb = std::exchange(verb_, nullptr);
  if (verb == nullptr) return;
  static_cast<Awaitable<std::vector<LimitOutcome>>*>(verb)->value.emplace(std::move(order->plan.outcomes));
  verbs_.complete(*verb);
}

bool CommandLimits::withdraw(Verb& verb) noexcept {
  if (verb_ == &verb) {
    verb_ = nullptr;
    return true;
  }
  return waiting_.remove(verb);
}

void CommandLimits::end() {
  ended_ = true;
  if (verb_ != nullptr) verbs_.fail(*std::exchange(verb_, nullptr), ErrorCode::already_exited, "the command has ended");
  while (Verb* verb = waiting_.pop()) verbs_.fail(*verb, ErrorCode::already_exited, "the command has ended");
}

}  // namespace netrunner::shard
