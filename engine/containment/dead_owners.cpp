#include "engine/containment/dead_owners.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "engine/containment/instance_name.hpp"
#include "engine/os/pidfd.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::containment {
namespace {

constexpr int removal_tries = 50;
constexpr auto removal_pause = std::chrono::milliseconds(2);

/// A number read from the file may be another's by now: its pidfd is opened, then the file is asked once more.
struct Victim {
  const os::Cgroup& group;
  std::uint32_t count = 0;
};

bool is_member(const os::Cgroup& group, pid_t pid) {
  struct Search {
    pid_t wanted;
    bool found = false;
  } search{pid};
  (void)group.for_each_process(&search, [](void* given, pid_t member) {
    auto& looked = *static_cast<Search*>(given);
    looked.found = looked.found || looked.wanted == member;
  });
  return search.found;
}

void kill_one(void* given, pid_t pid) {
  auto& victim = *static_cast<Victim*>(given);
  const auto pidfd = os::open_pidfd(pid);
  if (!pidfd || !is_member(victim.group, pid)) return;
  ++victim.count;
  (void)os::signal_pidfd(pidfd->get(), SIGKILL);
}

std::uint32_t kill_each(const os::Cgroup& group) {
  Victim victim{group};
  (void)group.for_each_process(&victim, kill_one);
  return victim.count;
}

std::uint32_t kill_all(os::Hierarchy hierarchy, const os::Cgroup& group) {
  if (hierarchy != os::Hierarchy::unified) return kill_each(group);
  std::uint32_t count = 0;
  (void)group.for_each_process(&count, [](void* counted, pid_t) { ++*static_cast<std::uint32_t*>(counted); });
  if (group.kill() != 0) (void)kill_each(group);  // Before Linux 5.14.
  return count;
}

/// What can't be looked at may be somebody's.
bool is_gone(int failure) { return failure == ENOENT || failure == ENOTDIR; }

bool is_locked(int within, const std::string& path) {
  const os::UniqueFd group(::openat(within, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group) return !is_gone(errno);
  return ::flock(group.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/// A shepherd of that owner lives: it runs the ladders of its commands, with a lock on its shard's group, or on what is
/// below that for those with limits.
bool has_shepherd(const std::string& instance) {
  DIR* directory = ::opendir(instance.c_str());
  if (directory == nullptr) return !is_gone(errno);
  const int within = ::dirfd(directory);
  NR_ASSERT(within >= 0);
  bool found = false;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string shard = entry->d_name;
    if (!shard.starts_with("shard-")) continue;
    found = found || is_locked(within, shard) || is_locked(within, shard + "/" + OwnGroups::limited_group);
  }
  ::closedir(directory);
  return found;
}

bool end(os::Hierarchy hierarchy, const os::Cgroup& parent, const char* name, SweepReport& report) {
  for (int i = 0; i < removal_tries; ++i) {
    const auto dead = parent.open_child(name);
    // Each time: one may have forked between the look and the signal before.
    const std::uint32_t killed = dead ? kill_all(hierarchy, *dead) : 0;
    if (i == 0) report.processes += killed;
    if (parent.remove_child(name) == 0) return true;
    std::this_thread::sleep_for(removal_pause);
  }
  return false;
}

}  // namespace

SweepReport sweep_dead_owners(os::Hierarchy hierarchy, const std::string& path, const InstanceName& us) {
  SweepReport report;
  const auto base = os::Cgroup::open(path.c_str());
  DIR* directory = base ? ::opendir(path.c_str()) : nullptr;
  if (directory == nullptr) return report;
  while (const dirent* entry = ::readdir(directory)) {
    const auto name = InstanceName::parse(entry->d_name);
    if (!name || name->owner_lives(us) || has_shepherd(path + "/" + entry->d_name)) continue;
    ++report.instances;
    if (!end(hierarchy, *base, entry->d_name, report)) ++report.left;
  }
  ::closedir(directory);
  // A dead host's own: empty, or it stays.
  if (hierarchy == os::Hierarchy::unified) (void)::unlinkat(base->fd(), OwnGroups::host_group, AT_REMOVEDIR);
  return report;
}

SweepReport sweep_dead_owners_v1(const OwnGroups& own, const InstanceName& us) {
  SweepReport all;
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    const auto& path = own.path(hierarchy);
    if (hierarchy == os::Hierarchy::unified || !path || ::access(path->c_str(), W_OK) != 0) continue;
    const SweepReport report = sweep_dead_owners(hierarchy, *path, us);
    all.instances += report.instances;
    all.processes += report.processes;
    all.left += report.left;
  }
  return all;
}

}  // namespace netrunner::containment
