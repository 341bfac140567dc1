#pragma once
/// The way from one process to two: the strongest call that is allowed here. See clone(2).

#include <cstdint>
#include <sys/types.h>

#include "engine/os/unique_fd.hpp"
#include "engine/wire/message.hpp"
#include "shepherd/spawn_place.hpp"

namespace netrunner::shepherd {

enum class Wait : std::uint8_t { none, until_exec };

struct CloneResult {
  pid_t pid = -1;
  int sys_errno = 0;  ///< Where there is no pid.
  os::UniqueFd pidfd;
  std::uint32_t leaf = UINT32_MAX;  ///< Of Leaves; the spawner's to fill in.
};

/// Starts `function(argument)` on the place's stack; the place's tid word becomes 0 at exec or death.
/// With CloneCall::fork the caller always waits for that.
/// `cgroup` -1: in our own; else born in that one, which needs CloneCall::clone3 (Linux 5.7).
[[nodiscard]] CloneResult clone_child(wire::CloneCall call, Wait wait, SpawnPlace& place, void (*function)(void*),
                                      void* argument, int cgroup = -1);

/// A child that only says hello is born in the group and lives: 0, or the errno of what is in the way. A kernel that
/// kills at birth there (see Leaves) gives EOWNERDEAD.
[[nodiscard]] int try_cgroup(SpawnPlace& place, int cgroup);

/// Tries each call with a child that only says hello, strongest first. False: none works.
[[nodiscard]] bool find_clone_call(SpawnPlace& place, wire::CloneCall& call);

}  // namespace netrunner::shepherd
