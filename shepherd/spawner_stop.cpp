/// The half of Spawner that starts a command of a ladder beside the one that it stops.

#include <cerrno>
#include <cstdio>

#include "shepherd/spawner.hpp"

namespace netrunner::shepherd {

Spawner::Birthplace Spawner::birthplace_of(std::uint32_t place, const StopStart& wanted) {
  Birthplace birthplace;
  if (wanted.leaf != Leaves::none) birthplace.leaf.fd = options_.leaves->open(wanted.leaf);
  if (wanted.leaf != Leaves::none && !birthplace.leaf.fd) birthplace.failure.sys_errno = EAGAIN;  // Not beside it.
  if (wanted.hierarchies == 0) return birthplace;
  const bool born_inside = clone_call_ == wire::CloneCall::clone3;
  if (!born_inside) birthplace.leaf.fd.reset();
  birthplace.limits.limits_memory = true;  // Perhaps: a copy of the memory is the safe side.
  birthplace.limits.members = options_.limits->open_members_of(wanted.limit_group, wanted.hierarchies, born_inside);
  for (std::size_t i = 0; i < os::hierarchies; ++i) places_[place].job.joined[i] = birthplace.limits.members[i].get();
  return birthplace;
}

Spawner::StopStarted Spawner::start_stop_command(const StopStart& wanted) {
  if (free_count_ == 0 || pause_until_ns_ != 0 || now_ns() >= turn_ends_ns_) return {{}, no_place, EAGAIN};
  const std::uint32_t place = take_place();
  SpawnPlace& memory = places_[place];
  SpawnCopy& spawn = memory.spawn;
  spawn.fixed = wanted.command.fixed;
  spawn.fixed.id = waits_[place].id = wanted.id;
  spawn.descriptor_count = 0;
  (void)std::snprintf(memory.leader, sizeof memory.leader, "NETRUNNER_PID=%d", wanted.leader);
  SpawnFailure failure = prepare(place, wanted.command.body, memory.leader);
  // It brings no descriptors, so it may want none.
  for (const wire::Action& action : memory.job.actions) {
    if (action.kind == wire::ActionKind::attached) failure.sys_errno = EPROTO;
  }
  const Birthplace birthplace = failure.sys_errno == 0 ? birthplace_of(place, wanted) : Birthplace();
  if (failure.sys_errno == 0) failure.sys_errno = birthplace.failure.sys_errno;
  CloneResult process;
  if (failure.sys_errno == 0) process = clone(place, birthplace);
  if (failure.sys_errno == 0 && process.pid > 0) {
    waits_[place].stops = true;
    return {std::move(process), place, 0};
  }
  release(place);
  return {{}, no_place, failure.sys_errno != 0 ? failure.sys_errno : process.sys_errno};
}

void Spawner::expect_exec(std::uint32_t place) {
  places_[place].tid_word == 0 ? exec_ended(waits_[place]) : waits_[place].arm();
}

void Spawner::hand_over(std::uint32_t place, SealedMap map) { waits_[place].kept = std::move(map); }

}  // namespace netrunner::shepherd
