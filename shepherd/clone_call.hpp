#pragma once
/// The way from one process to two: the strongest call that is allowed here. See clone(2).

#include <cstdint>
#include <sys/types.h>

#include "engine/os/unique_fd.hpp"
#include "engine/wire/message.hpp"
#include "shepherd/leaves.hpp"
#include "shepherd/spawn_place.hpp"

namespace netrunner::shepherd {

enum class Wait : std::uint8_t { none, until_exec };

/// Whose memory a child runs on until exec.
enum class Memory : std::uint8_t {
  shepherds,  ///< CLONE_VM: nothing is copied.
  /// A copy, some tens of microseconds more. For a child with a memory limit: the kernel's OOM killer ends everything
  /// that shares the memory of its victim, the shepherd too. And for one with an oom_score_adj, which all share.
  own,
};

struct CloneResult {
  pid_t pid = -1;
  int sys_errno = 0;  ///< Where there is no pid.
  os::UniqueFd pidfd;
  // The spawner's to fill in.
  std::uint32_t leaf = UINT32_MAX;         ///< Of Leaves...
  Leaves::Counted before;                  ///< ...and what that has counted before.
  std::uint32_t limit_group = UINT32_MAX;  ///< Of LimitGroups.
  std::uint32_t refused_writes = 0;
};

/// How a child is made. `cgroup` -1: in our own; else born in that one, which needs CloneCall::clone3 (Linux 5.7).
struct CloneWay {
  wire::CloneCall call = wire::CloneCall::clone3;
  Wait wait = Wait::none;
  Memory memory = Memory::shepherds;
  int cgroup = -1;
};
/// Starts `function(argument)` on the place's stack; the place's tid word becomes 0 at exec or death, but for
/// Memory::own without a wait: somebody else must see that end. With CloneCall::fork the caller always waits for it.
[[nodiscard]] CloneResult clone_child(CloneWay way, SpawnPlace& place, void (*function)(void*), void* argument);

/// A child that only says hello is born in the group and lives: 0, or the errno of what is in the way. A kernel that
/// kills at birth there (see Leaves) gives EOWNERDEAD.
[[nodiscard]] int try_cgroup(SpawnPlace& place, int cgroup);

/// Tries each call with a child that only says hello, strongest first. False: none works.
[[nodiscard]] bool find_clone_call(SpawnPlace& place, wire::CloneCall& call);

}  // namespace netrunner::shepherd
