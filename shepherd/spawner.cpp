#include "shepherd/spawner.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "engine/ring/probe.hpp"
#include "shepherd/child_side.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/limits.hpp"

namespace netrunner::shepherd {

bool Spawner::open(Options options) {
  options_ = options;
  shepherd_pid_ = ::getpid();
  if (!places_.open(spawns_at_once_max, Region<SpawnPlace>::Sharing::shared_memory)) return false;
  for (std::uint32_t i = 0; i < spawns_at_once_max; ++i) {
    waits_[i].spawner = this;
    waits_[i].place = i;
    free_[i] = static_cast<std::uint16_t>(spawns_at_once_max - 1 - i);
  }
  free_count_ = spawns_at_once_max;
  if (!find_clone_call(places_[0], clone_call_)) return false;
  way_ = options.way;
  if (way_ == Way::futex && !ring::Probe::of(ring_).has(ring::Probe::futex_wait)) way_ = Way::pipe;
  if (clone_call_ == wire::CloneCall::fork) way_ = Way::vfork;  // No memory is shared: the kernel clears nothing.
  return true;
}

/// Guard pages are made as places come into use: 256 at once took a millisecond of every start of a shepherd.
std::uint32_t Spawner::take_place() {
  const std::uint32_t place = free_[--free_count_];
  for (; places_guarded_ <= place; ++places_guarded_) {
    auto& guard = places_[places_guarded_].guard;
    (void)::mprotect(guard.data(), guard.size(), PROT_NONE);
  }
  places_touched_ = std::max(places_touched_, place + 1);
  return place;
}

int Spawner::test_leaves() {
  if (clone_call_ != wire::CloneCall::clone3) return ENOSYS;
  NR_ASSERT(free_count_ == spawns_at_once_max);
  const Leaves::Taken leaf = options_.leaves->take();
  if (leaf.sys_errno != 0) return leaf.sys_errno;
  const int failure = try_cgroup(places_[0], leaf.fd.get());
  options_.leaves->give_back(leaf.leaf, {});
  return failure;
}

bool Spawner::admit(const wire::Message& message, std::span<os::UniqueFd> descriptors) {
  const bool waits = queued_ != 0 || free_count_ == 0 || pause_until_ns_ != 0;
  if (waits || now_ns() >= turn_ends_ns_) return enqueue(message, descriptors);
  const std::uint32_t place = take_place();
  take(places_[place].spawn, message, descriptors);
  if (start(place, now_ns()) == Start::later) {
    // The process limit was met: it goes to the head of the queue, which is empty.
    if (!queue_.is_open() && !queue_.open(commands_max)) {
      refuse(place, {Stage::clone, EAGAIN, 0, "", {}});
      return true;
    }
    queue_[queue_first_] = places_[place].spawn;
    ++queued_;
    free_[free_count_++] = static_cast<std::uint16_t>(place);
  }
  return true;
}

void Spawner::take(SpawnCopy& copy, const wire::Message& message, std::span<os::UniqueFd> descriptors) {
  copy.fixed = message.as<wire::SpawnFixed>();
  copy.taken_ns = now_ns();
  copy.body_bytes = static_cast<std::uint32_t>(std::min(message.body.size(), copy.body.size()));
  if (copy.body_bytes != 0) std::memcpy(copy.body.data(), message.body.data(), copy.body_bytes);
  // Too long for an inline body: malformed, and found so when it is prepared.
  if (message.body.size() > copy.body.size()) copy.fixed.body_bytes = UINT32_MAX;
  copy.descriptor_count = static_cast<std::uint32_t>(descriptors.size());
  for (std::size_t i = 0; i < descriptors.size(); ++i) copy.descriptors[i] = descriptors[i].release();
}

bool Spawner::enqueue(const wire::Message& message, std::span<os::UniqueFd> descriptors) {
  if (!queue_.is_open() && !queue_.open(commands_max)) return false;
  if (queued_ == commands_max) return false;
  take(queue_[(queue_first_ + queued_) % commands_max], message, descriptors);
  ++queued_;
  return true;
}

void Spawner::withdraw(wire::ChildId id) {
  for (std::uint32_t i = 0; i < queued_; ++i) {
    SpawnCopy& spawn = queue_[(queue_first_ + i) % commands_max];
    if (spawn.fixed.id != id || spawn.descriptor_count == UINT32_MAX) continue;
    close_descriptors(spawn);
    spawn.descriptor_count = UINT32_MAX;  // Passed over when its turn comes.
    return;
  }
}

void Spawner::dequeue_into(std::uint32_t place) {
  SpawnCopy& from = queue_[queue_first_];
  SpawnCopy& to = places_[place].spawn;
  to.fixed = from.fixed;
  to.taken_ns = from.taken_ns;
  to.body_bytes = from.body_bytes;
  to.descriptor_count = from.descriptor_count;
  std::copy_n(from.descriptors.begin(), from.descriptor_count, to.descriptors.begin());
  std::copy_n(from.body.begin(), from.body_bytes, to.body.begin());
}

void Spawner::begin_turn(std::int64_t now) noexcept { turn_ends_ns_ = now + starts_turn_max_ns; }

void Spawner::pump(std::int64_t now) {
  if (trim_ns_ <= now) trim();
  if (pause_until_ns_ > now) return;
  pause_until_ns_ = 0;
  while (queued_ != 0) {
    const bool withdrawn = queue_[queue_first_].descriptor_count == UINT32_MAX;
    if (!withdrawn) {
      if (free_count_ == 0 || now_ns() >= turn_ends_ns_) return;
      const std::uint32_t place = take_place();
      dequeue_into(place);
      if (start(place, now) == Start::later) {
        free_[free_count_++] = static_cast<std::uint16_t>(place);
        return;
      }
    }
    queue_first_ = (queue_first_ + 1) % commands_max;
    --queued_;
  }
  if (queue_.is_open() && queue_first_ != 0) {
    (void)::madvise(queue_.data(), std::size_t{commands_max} * sizeof(SpawnCopy), MADV_DONTNEED);
    queue_first_ = 0;
  }
}

std::int64_t Spawner::next_pump_ns() const noexcept {
  if (queued_ == 0) return trim_ns_;
  if (pause_until_ns_ != 0) return pause_until_ns_;
  return free_count_ == 0 ? never : 0;
}

Spawner::Start Spawner::start(std::uint32_t place, std::int64_t now) {
  ExecWait& wait = waits_[place];
  wait.id = places_[place].spawn.fixed.id;
  const SpawnFailure failure = prepare(place);
  if (failure.sys_errno != 0) {
    refuse(place, failure);
    return Start::done;
  }
  Birthplace birthplace = make_birthplace(place);
  if (birthplace.failure.sys_errno != 0) {
    refuse(place, birthplace.failure);
    return Start::done;
  }
  CloneResult process = clone(place, birthplace);
  process.leaf = birthplace.leaf.leaf;
  process.before = birthplace.leaf.before;
  process.limit_group = birthplace.limits.number;
  process.refused_writes = birthplace.limits.refused_writes;
  // A leaf that nobody can be born in is not tried twice.
  if (process.pid <= 0) undo(birthplace, places_[place].spawn.fixed.hierarchies, process.sys_errno == EAGAIN);
  if (process.pid > 0) {
    refused_since_ns_ = pause_ns_ = 0;
    cloned(place, process);
    return Start::done;
  }
  if (process.sys_errno == EAGAIN && put_off(place, now) == Start::later) return Start::later;
  refuse(place, {Stage::clone, process.sys_errno, 0, "", {}});
  return Start::done;
}

/// The process limit was met: for a while that is no failure. A while since then, and of its own.
Spawner::Start Spawner::put_off(std::uint32_t place, std::int64_t now) {
  if (refused_since_ns_ == 0) refused_since_ns_ = now;
  if (now - std::max(refused_since_ns_, places_[place].spawn.taken_ns) >= clone_retry_max_ns) return Start::done;
  waits_[place].pipe.reset();
  drop_maps(waits_[place]);
  pause_ns_ = pause_ns_ == 0 ? clone_pause_min_ns : std::min(2 * pause_ns_, clone_pause_max_ns);
  pause_until_ns_ = now + pause_ns_;
  return Start::later;
}

CloneResult Spawner::clone(std::uint32_t place, const Birthplace& birthplace) {
  const bool own = birthplace.limits.limits_memory || (places_[place].spawn.fixed.flags & wire::has_oom_score) != 0;
  CloneWay way{.call = clone_call_,
               .memory = own ? Memory::own : Memory::shepherds,
               .cgroup = birthplace.leaf.fd.get()};
  if (way_ == Way::vfork) way.wait = Wait::until_exec;
  ExecPipe pipe;
  if (way_ == Way::pipe || (own && way_ == Way::futex)) {
    pipe = make_exec_pipe(place);
    if (!pipe.write_end) way.wait = Wait::until_exec;  // No descriptor is left: this one time it is waited for.
    waits_[place].pipe = std::move(pipe.read_end);
  }
  waits_[place].own_memory = own;
  // The write end goes before the next child is cloned, which would hold it too.
  return clone_child(way, places_[place], run_child, &places_[place].job);
}

/// One page: a pipe's default size would take much of what pipe-user-pages-soft leaves for the commands' own.
Spawner::ExecPipe Spawner::make_exec_pipe(std::uint32_t place) const {
  constexpr int page_bytes = 4096;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  ExecPipe pipe{os::UniqueFd(ends[0]), os::UniqueFd(ends[1])};
  (void)::fcntl(ends[0], F_SETPIPE_SZ, page_bytes);
  // The child would put a descriptor of its own in the place of a lower one.
  const int floor = floor_of(places_[place].job);
  if (ends[1] < floor) pipe.write_end = os::UniqueFd(::fcntl(ends[1], F_DUPFD_CLOEXEC, floor));
  return pipe;
}

Spawner::Birthplace Spawner::make_birthplace(std::uint32_t place) {
  Birthplace birthplace;
  ChildJob& job = places_[place].job;
  const std::uint32_t hierarchies = places_[place].spawn.fixed.hierarchies;
  if (hierarchies != 0) {
    const bool best_effort = (job.fixed->flags & wire::limits_best_effort) != 0;
    const bool born_inside = clone_call_ == wire::CloneCall::clone3;
    birthplace.limits = options_.limits->make({hierarchies, job.leaf_writes, best_effort, born_inside});
    const int failure = birthplace.limits.sys_errno;
    if (failure != 0) birthplace.failure = {Stage::cgroup, failure, birthplace.limits.failed_write, "", {}};
    birthplace.leaf = std::move(birthplace.limits.leaf);
    for (std::size_t i = 0; i < os::hierarchies; ++i) job.joined[i] = birthplace.limits.members[i].get();
  }
  if (birthplace.failure.sys_errno != 0 || os::has(hierarchies, os::Hierarchy::unified)) return birthplace;
  if (options_.leaves->active()) birthplace.leaf = options_.leaves->take();
  if (birthplace.leaf.sys_errno != 0) {
    birthplace.failure = {Stage::cgroup, birthplace.leaf.sys_errno, wire::no_group, "", {}};
    undo(birthplace, hierarchies, true);
  }
  return birthplace;
}

void Spawner::undo(const Birthplace& birthplace, std::uint32_t hierarchies, bool leaf_is_good) {
  const std::uint32_t leaf = birthplace.leaf.leaf;
  if (leaf != Leaves::none) {
    const bool again = leaf_is_good && !Leaves::is_limited(leaf);
    again ? options_.leaves->give_back(leaf, birthplace.leaf.before) : options_.leaves->discard(leaf);
  }
  if (birthplace.limits.number != LimitGroups::none) options_.limits->discard(birthplace.limits.number, hierarchies);
}

void Spawner::cloned(std::uint32_t place, CloneResult& process) {
  ExecWait& wait = waits_[place];
  handler_.cloned(handler_.owner, wait.id, place, process);
  close_descriptors(places_[place].spawn);
  if (places_[place].tid_word == 0) return exec_ended(wait);
  wait.arm();
}

void Spawner::ExecWait::arm() {
  const volatile std::uint32_t& word = spawner->places_[place].tid_word;
  if (pipe) return hang_up.arm(spawner->ring_, pipe.get(), 0);  // POLLHUP comes unasked.
  futex.arm(spawner->ring_, const_cast<const std::uint32_t*>(&word), 1);
}

void Spawner::ExecWait::completed(void* self, ring::Completion completion) {
  // Whatever the result (-EAGAIN: it was cleared before the wait began), the word itself tells.
  auto& wait = *static_cast<ExecWait*>(self);
  // The pipe has hung up: the child's copy of the write end went with its exec, or with it.
  if (wait.own_memory && completion.result > 0) wait.spawner->places_[wait.place].tid_word = 0;
  if (wait.spawner->places_[wait.place].tid_word == 0) return wait.spawner->exec_ended(wait);
  wait.arm();
}

void Spawner::exec_ended(ExecWait& wait) {
  (wait.stops ? handler_.stop_let_go : handler_.let_go)(handler_.owner, wait.id, wait.place);
}

void Spawner::refuse(std::uint32_t place, const SpawnFailure& failure) {
  close_descriptors(places_[place].spawn);
  handler_.refused(handler_.owner, waits_[place].id, failure);
  release(place);
}

bool Spawner::succeeded(std::uint32_t place) const noexcept {
  const ChildReport& report = places_[place].job.report;
  return report.stage == static_cast<std::uint32_t>(Stage::exec) && report.sys_errno == 0;
}

SpawnFailure Spawner::failure_of(std::uint32_t place) const noexcept {
  const ChildReport& report = places_[place].job.report;
  const char* path = report.path;
  return {static_cast<Stage>(report.stage), report.sys_errno, report.index, path == nullptr ? "" : path,
          {places_[place].head.data(), report.head_bytes}};
}

void Spawner::release(std::uint32_t place) {
  waits_[place].pipe.reset();
  drop_maps(waits_[place]);
  waits_[place].kept = SealedMap();
  waits_[place].stops = false;
  free_[free_count_++] = static_cast<std::uint16_t>(place);
  if (free_count_ == spawns_at_once_max && places_touched_ > places_kept) trim_ns_ = now_ns() + trim_pause_ns;
}

// After a burst the pages of all places but the first few go back to the kernel. Not at its end: a storm is many.
void Spawner::trim() {
  trim_ns_ = never;
  if (free_count_ != spawns_at_once_max) return;  // The last to be free asks again.
  for (std::uint32_t i = places_kept; i < places_touched_; ++i) {  // The guard pages between them refuse to be advised.
    (void)::madvise(places_[i].stack.data(), sizeof(SpawnPlace) - sizeof places_[i].guard, MADV_REMOVE);
  }
  places_touched_ = places_kept;
  for (std::uint32_t i = 0; i < spawns_at_once_max; ++i) {
    free_[i] = static_cast<std::uint16_t>(spawns_at_once_max - 1 - i);
  }
}

void Spawner::close_descriptors(SpawnCopy& spawn) {
  for (std::uint32_t i = 0; i < spawn.descriptor_count; ++i) ::close(spawn.descriptors[i]);
  spawn.descriptor_count = 0;
}

void Spawner::drop_maps(ExecWait& wait) {
  if (wait.body_map != nullptr) ::munmap(wait.body_map, wait.body_map_bytes);
  if (wait.pointers_map != nullptr) ::munmap(wait.pointers_map, wait.pointers_map_bytes);
  wait.body_map = wait.pointers_map = nullptr;
}

}  // namespace netrunner::shepherd
