/// What the host says.

#include <poll.h>
#include <signal.h>

#include <cerrno>

#include "engine/wire/spawn_view.hpp"
#include "shepherd/reach.hpp"
#include "shepherd/shepherd.hpp"

namespace netrunner::shepherd {

using wire::MessageType;

void Shepherd::on_message(const wire::Message& message, std::span<os::UniqueFd> descriptors) {
  switch (message.type) {
    case MessageType::spawn: return on_spawn(message, descriptors);
    case MessageType::signal: return on_signal(message.as<wire::SignalFixed>());
    case MessageType::stop: return on_stop(message, descriptors);
    case MessageType::settle: return on_settle(message.as<wire::SettleFixed>());
    case MessageType::ping: return channel_.post(MessageType::pong, message.as<wire::PingFixed>());
    case MessageType::contain: return on_contain(message.as<wire::ContainFixed>(), descriptors);
    case MessageType::sibling:
      if (descriptors.empty()) return;  // No descriptor was left for it: a net less, not a fault.
      return siblings_.meet(message.as<wire::SiblingFixed>(), std::move(descriptors[0]),
                            descriptors.size() > 1 ? std::move(descriptors[1]) : os::UniqueFd());
    case MessageType::limit_groups:
      return limits_.add(message.as<wire::LimitGroupsFixed>().hierarchies, descriptors);
    case MessageType::cpu_time: return on_cpu_time(message.as<wire::CpuTimeFixed>());
    case MessageType::shutdown: return end_by(Ending::on_shutdown);
    default: return;  // The host's own kinds only.
  }
}

// The level that is kept is the one that was seen to work, whatever was asked for.
void Shepherd::on_contain(const wire::ContainFixed& wanted, std::span<os::UniqueFd> descriptors) {
  wire::ContainedFixed contained{wanted.level, 0, 0};
  const std::size_t announced = (wanted.has_host != 0 ? 1 : 0) + (wanted.has_group != 0 ? 1 : 0);
  if (descriptors.size() < announced) descriptors = {};  // The kernel had no room for them.
  if (wanted.has_host != 0 && !descriptors.empty() && !host_) {
    host_ = std::move(descriptors[0]);
    host_poll_.arm(*ring_, host_.get(), POLLIN);
  }
  const bool has_group = wanted.has_group != 0 && !descriptors.empty();
  if (has_group) contained.sys_errno = leaves_.open(std::move(descriptors.back())) ? spawner_.test_leaves() : errno;
  if (contained.sys_errno != 0) leaves_.close();
  if (!leaves_.active() && wanted.level == wire::WireContainment::cgroup) {
    contained.level = wire::WireContainment::subreaper;
    if (contained.sys_errno == 0) contained.sys_errno = ENOENT;
  }
  const bool marks = contained.level != wire::WireContainment::process_group && !leaves_.active();
  if (marks) {
    spawner_.mark_commands();
    sweep_.switch_on();
  }
  contained.mark = own_mark();
  channel_.post(MessageType::contained, contained);
}

void Shepherd::on_spawn(const wire::Message& message, std::span<os::UniqueFd> descriptors) {
  const auto fixed = message.as<wire::SpawnFixed>();
  if (!ChildTable::is_slot(fixed.id) || children_.in_use(fixed.id.slot)) {
    return say_start_failed(fixed.id, {Stage::treaty, EBUSY, 0, "", {}});
  }
  if (ending_ != Ending::no) return say_start_failed(fixed.id, {Stage::treaty, ESHUTDOWN, 0, "", {}});
  Child& child = children_.create(this, on_exit_poll, fixed.id);
  happen(child, Event::admitted);
  // The ladder of the Spawn is read when it is cloned; a body in a memfd is mapped only then.
  if (!spawner_.admit(message, descriptors)) {
    failure_ = {Stage::clone, EAGAIN, 0, "", {}};
    happen(child, Event::refused);
  }
}

void Shepherd::on_signal(const wire::SignalFixed& wanted) {
  Child* child = children_.find(wanted.id);
  int failure = ESRCH;
  if (wanted.signal < 0 || wanted.signal >= NSIG) {
    failure = EINVAL;
  } else if (child != nullptr && child->state == State::waiting) {
    failure = EAGAIN;  // Not born yet: a stop withdraws it.
  } else if (child != nullptr && (child->leader_unreaped || child->state == State::leaderless)) {
    const bool on_its_way = child->state == State::starting || child->state == State::deciding;
    if (on_its_way && wanted.signal != 0) child->signalled = true;
    failure = send(*child, wanted.target, wanted.signal);
  }
  say_signal_sent(wanted.id, wanted, failure);
}

void Shepherd::on_stop(const wire::Message& message, std::span<os::UniqueFd> descriptors) {
  const auto fixed = message.as<wire::StopFixed>();
  Child* child = children_.find(fixed.id);
  if (child == nullptr) return;
  if (!wire::rungs_of(fixed, message.body, wanted_rungs_)) wanted_rungs_ = {};
  if (!descriptors.empty()) (void)brought_commands_.open(descriptors[0].get(), wire::stop_commands_bytes_max);
  happen(*child, Event::stop);
  wanted_rungs_ = {};
  brought_commands_ = SealedMap();
}

void Shepherd::on_cpu_time(const wire::CpuTimeFixed& wanted) {
  Child* child = children_.find(wanted.id);
  if (child == nullptr || wanted.limit_ns < 0) return;
  child->cpu_time_ns = wanted.limit_ns;
  child->cpu_look_ns = never;
  if (child->state == State::running || child->state == State::leaderless) watch_cpu_time(*child);
}

void Shepherd::on_settle(const wire::SettleFixed& wanted) {
  Child* child = children_.find(wanted.id);
  if (child == nullptr) return say_settled(wanted.id, 0, true);
  happen(*child, wanted.policy == wire::SettlePolicy::leave ? Event::settle_leave : Event::settle_stop);
}

}  // namespace netrunner::shepherd
