/// From a Spawn as it came to a job that a child can do: the half of Spawner that reads what the host wrote.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "engine/wire/spawn_view.hpp"
#include "shepherd/spawner.hpp"
#include "shepherd/sweep.hpp"

namespace netrunner::shepherd {
namespace {

SpawnFailure treaty_failure(int sys_errno) { return {Stage::treaty, sys_errno, 0, "", {}}; }

}  // namespace

SpawnFailure Spawner::map_body(std::uint32_t place, std::span<const std::byte>& body) {
  SpawnCopy& spawn = places_[place].spawn;
  ExecWait& wait = waits_[place];
  if ((spawn.fixed.flags & wire::body_in_memfd) == 0) {
    body = {spawn.body.data(), spawn.body_bytes};
    return {};
  }
  if (spawn.descriptor_count == 0) return treaty_failure(EMFILE);
  const int memfd = spawn.descriptors[0];
  const std::size_t bytes = spawn.fixed.body_bytes;
  struct stat status{};
  // Unsealed, it could shrink under the mapping, and the shepherd would die of SIGBUS.
  const int seals = ::fcntl(memfd, F_GET_SEALS);
  if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_WRITE)) != (F_SEAL_SHRINK | F_SEAL_WRITE)) {
    return treaty_failure(EPROTO);
  }
  if (bytes == 0 || bytes > wire::memfd_body_bytes_max || ::fstat(memfd, &status) != 0 ||
      static_cast<std::size_t>(status.st_size) < bytes) {
    return treaty_failure(EPROTO);
  }
  void* map = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE | MAP_POPULATE, memfd, 0);
  if (map == MAP_FAILED) return treaty_failure(errno);
  wait.body_map = map;
  wait.body_map_bytes = bytes;
  body = {static_cast<const std::byte*>(map), bytes};
  return {};
}

char** Spawner::map_pointers(std::uint32_t place, std::size_t count) {
  if (count <= pointers_inline_max) return places_[place].pointers.data();
  ExecWait& wait = waits_[place];
  wait.pointers_map_bytes = count * sizeof(char*);
  void* map = ::mmap(nullptr, wait.pointers_map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return nullptr;
  wait.pointers_map = map;
  return static_cast<char**>(map);
}

SpawnFailure Spawner::prepare(std::uint32_t place) {
  std::span<const std::byte> body;
  if (const SpawnFailure failure = map_body(place, body); failure.sys_errno != 0) return failure;
  if (const SpawnFailure failure = prepare(place, body, nullptr); failure.sys_errno != 0) return failure;
  const SpawnCopy& spawn = places_[place].spawn;
  ChildJob& job = places_[place].job;
  const auto has = [&](wire::SpawnFlag flag) { return (spawn.fixed.flags & flag) != 0; };
  std::uint32_t needed = 0;
  const auto next = [&](bool is_there) { return is_there ? spawn.descriptors[needed++] : -1; };
  (void)next(has(wire::body_in_memfd));
  job.stop_commands = next(has(wire::has_stop_commands));
  job.cwd_descriptor = next(has(wire::cwd_attached));
  job.attached = spawn.descriptors.data() + needed;
  for (const wire::Action& action : job.actions) needed += action.kind == wire::ActionKind::attached ? 1 : 0;
  // Fewer: the kernel had no room for them in our table (MSG_CTRUNC).
  if (spawn.descriptor_count != needed) return treaty_failure(spawn.descriptor_count < needed ? EMFILE : EPROTO);
  return {};
}

/// `variable`: one more of the environment; nullptr: none.
SpawnFailure Spawner::prepare(std::uint32_t place, std::span<const std::byte> body, char* variable) {
  SpawnPlace& memory = places_[place];
  SpawnCopy& spawn = memory.spawn;
  wire::SpawnView view;
  if (!view.open(spawn.fixed, body)) return treaty_failure(EPROTO);

  ChildJob& job = memory.job;
  job = ChildJob{};
  job.fixed = &spawn.fixed;
  job.actions = view.actions();
  job.rungs = view.rungs();
  job.limits = view.limits();
  job.groups = view.groups();
  job.cpus = view.cpus();
  job.leaf_writes = view.leaf_writes();
  job.strings = job.program = view.program();
  job.cwd = view.cwd();
  job.argument_count = spawn.fixed.argument_count;
  if ((spawn.fixed.flags & wire::search_path) != 0) job.search_path = view.environment_value("PATH=");
  job.pointers = map_pointers(place, view.pointer_count() + 3);
  if (job.pointers == nullptr) return treaty_failure(ENOMEM);
  view.fill(job.pointers + 1);
  char** end = job.pointers + view.pointer_count();  // The null pointer after the environment.
  if (variable != nullptr) *end++ = variable;
  if (marks_) {
    const os::CommandMark mark{own_mark(), spawn.fixed.id.slot, spawn.fixed.id.generation};
    os::write_mark(mark, memory.mark);
    // A command that sets this limit for itself keeps its own value, and the mark in its environment.
    const auto is_locks = [](const wire::WireLimit& limit) { return limit.resource == RLIMIT_LOCKS; };
    if (marks_by_limit_ && std::ranges::none_of(job.limits, is_locks)) job.limit_mark = os::as_limit(mark);
    *end++ = memory.mark;
  }
  *end = nullptr;
  job.descriptors_soft_max = options_.descriptors_soft_max;
  job.descriptors_hard_max = options_.descriptors_hard_max;
  job.shepherd_pid = shepherd_pid_;
  job.text_busy_max_ns = way_ == Way::vfork ? text_busy_vfork_max_ns : text_busy_max_ns;
  job.sources = memory.sources.data();
  job.path_buffer = memory.path.data();
  job.head = memory.head.data();
  return {};
}

}  // namespace netrunner::shepherd
