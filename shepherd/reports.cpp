/// What the host is told.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "shepherd/reach.hpp"
#include "shepherd/shepherd.hpp"

namespace netrunner::shepherd {

using wire::MessageType;

void Shepherd::say_ready() {
  wire::ReadyFixed ready;
  ready.pid = ::getpid();
  ready.spawn_path = spawner_.way() == Spawner::Way::vfork ? 1 : 0;
  ready.clone_call = spawner_.clone_call();
  if (groups_by_pidfd()) ready.features |= wire::group_by_pidfd;
  if (spawner_.way() == Spawner::Way::futex) ready.features |= wire::futex_in_ring;
  channel_.post(MessageType::ready, ready);
}

void Shepherd::say_started(Child& child) {
  wire::StartedFixed started;
  started.id = child.id;
  started.pid = child.pid;
  started.leaf = Leaves::is_limited(child.leaf) ? wire::no_group : child.leaf;
  started.limit_group = child.limit_group;
  started.refused_writes = child.refused_writes;
  started.user_us_before = child.before.user_us;
  started.system_us_before = child.before.system_us;
  started.spawned_ns = child.spawned_ns;
  started.exec_ns = child.exec_ns;
  if (child.watched_turn == turns_) ring_->submit();  // The poll must have its file before the descriptor goes.
  std::array<os::UniqueFd, 1> pidfd{std::move(child.pidfd)};
  channel_.post(MessageType::started, started, {}, std::span(pidfd).first(pidfd[0] ? 1 : 0));
}

void Shepherd::say_start_failed(wire::ChildId id, const SpawnFailure& failure) {
  wire::StartFailedFixed failed;
  std::array<std::byte, wire::failure_path_bytes_max + wire::failure_head_bytes_max> body;
  const std::size_t path_bytes = ::strnlen(failure.path, wire::failure_path_bytes_max);
  const std::size_t head_bytes = std::min(failure.head.size(), wire::failure_head_bytes_max);
  std::memcpy(body.data(), failure.path, path_bytes);
  if (head_bytes != 0) std::memcpy(body.data() + path_bytes, failure.head.data(), head_bytes);
  failed.id = id;
  failed.stage = static_cast<std::uint32_t>(failure.stage);
  failed.sys_errno = failure.sys_errno;
  failed.index = failure.index;
  failed.path_bytes = static_cast<std::uint32_t>(path_bytes);
  failed.head_bytes = static_cast<std::uint32_t>(head_bytes);
  channel_.post(MessageType::start_failed, failed, std::span(body).first(path_bytes + head_bytes));
}

void Shepherd::say_exited(Child& child, bool alone) {
  wire::ExitedFixed exited;
  exited.id = child.id;
  exited.end_code = death_.code;
  exited.end_status = death_.status;
  exited.user_us = death_.user_us;
  exited.system_us = death_.system_us;
  exited.max_rss_kib = death_.max_rss_kib;
  exited.exited_ns = now_ns();
  exited.alone = alone ? 1 : 0;
  exited.stragglers = child.stragglers;
  exited.usage = usage_of(child);  // Before its groups are removed.
  channel_.post(MessageType::exited, exited);
}

void Shepherd::say_signal_sent(wire::ChildId id, const wire::SignalFixed& what, int sys_errno) {
  wire::SignalSentFixed sent;
  sent.id = id;
  sent.request = what.request;
  sent.signal = what.signal;
  sent.target = what.target;
  sent.sys_errno = sys_errno;
  sent.at_ns = now_ns();
  channel_.post(MessageType::signal_sent, sent);
}

void Shepherd::say_settled(wire::ChildId id, std::uint32_t stragglers, bool tree_empty,
                           const os::CgroupUsage& usage) {
  wire::SettledFixed settled;
  settled.id = id;
  settled.stragglers = stragglers;
  settled.tree_empty = tree_empty ? 1 : 0;
  settled.gone_ns = now_ns();
  settled.usage = usage;
  channel_.post(MessageType::settled, settled);
}

void Shepherd::say_stop_command(const wire::StopCommandFixed& run) { channel_.post(MessageType::stop_command, run); }

void Shepherd::say_limit_met(wire::ChildId id) { channel_.post(MessageType::limit_met, wire::LimitMetFixed{id}); }

void Shepherd::say_leftovers() {
  told_leftovers_ = leftovers_.lasting();
  channel_.post(MessageType::leftovers, wire::LeftoversFixed{told_leftovers_, 0});
}

}  // namespace netrunner::shepherd
