#pragma once
/// What a child is told before clone, and what it tells before exec: the only memory that both touch.

#include <netrunner/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/os/command_mark.hpp"
#include "engine/os/hierarchy.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::shepherd {

/// Written by the child alone. `stage` is stored before the call that it names, so that a child that was killed on the
/// way still says where it was; exec is the last one.
struct ChildReport {
  volatile std::uint32_t stage = 0;  ///< netrunner::Stage.
  volatile std::int32_t sys_errno = 0;
  volatile std::uint32_t index = 0;
  const char* volatile path = nullptr;
  volatile std::uint32_t head_bytes = 0;
};

struct ChildJob {
  const wire::SpawnFixed* fixed = nullptr;
  std::span<const wire::Action> actions;
  std::span<const wire::WireRung> rungs;
  std::span<const wire::WireLimit> limits;
  std::span<const std::uint32_t> groups, cpus;
  std::span<const std::byte> leaf_writes;  ///< The shepherd's to do, before clone.
  /// cgroup.procs of each hierarchy that it has to join; -1: none there.
  std::array<std::int32_t, os::hierarchies> joined{-1, -1, -1, -1, -1, -1, -1};
  const char* strings = nullptr;      ///< open_file's offsets are of these.
  const char* program = nullptr;
  const char* cwd = nullptr;
  const char* search_path = nullptr;  ///< PATH of the command, where the program is to be looked up.
  /// One free place (for /bin/sh), argv, a null pointer, environment, a null pointer.
  char** pointers = nullptr;
  std::size_t argument_count = 0;
  std::int32_t cwd_descriptor = -1;
  std::int32_t stop_commands = -1;  ///< Of its ladder, the shepherd's to keep; -1: none.
  const std::int32_t* attached = nullptr;  ///< In the order of the actions that attach one.
  std::uint64_t descriptors_soft_max = 0;  ///< RLIMIT_NOFILE as it was before the shepherd raised its own.
  std::uint64_t descriptors_hard_max = 0;
  os::LimitMark limit_mark;           ///< RLIMIT_LOCKS; {0, 0}: none.
  std::int32_t shepherd_pid = 0;
  std::int64_t text_busy_max_ns = 0;

  // The child's own room.
  std::int32_t* sources = nullptr;  ///< [actions_max]
  char* path_buffer = nullptr;      ///< [wire::failure_path_bytes_max]
  char* head = nullptr;             ///< [wire::failure_head_bytes_max]
  ChildReport report;
};

/// Above every number that the command asks for: what the child puts in place closes nothing from there on.
[[nodiscard]] inline int floor_of(const ChildJob& job) noexcept {
  int floor = 3;
  for (const wire::Action& action : job.actions) {
    if (action.number >= floor) floor = action.number + 1;
  }
  return floor;
}

}  // namespace netrunner::shepherd
