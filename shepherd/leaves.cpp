#include "shepherd/leaves.hpp"

#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace netrunner::shepherd {
namespace {

/// Commands without limits: a level of their own, so that controllers can be enabled beside them and not for them.
constexpr const char* plain_group = "plain";

/// The process is in this leaf (or in a group below it) still: its number was read a moment ago.
bool is_in(pid_t pid, const char* leaf) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return false;
  char line[4096];
  bool inside = false;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, "0::", 3) != 0) continue;
    char part[24];
    std::snprintf(part, sizeof part, "/%s", leaf);
    const char* found = std::strstr(line, part);
    const char after = found == nullptr ? 'x' : found[std::strlen(part)];
    inside = after == '/' || after == '\n';
  }
  std::fclose(file);
  return inside;
}

}  // namespace

bool Leaves::open(os::UniqueFd directory) {
  (void)::flock(directory.get(), LOCK_SH);  // While we live, no start of another engine sweeps it.
  root_ = os::Cgroup(std::move(directory));
  auto plain = root_.make_child(plain_group);
  if (plain) directory_ = std::move(*plain);
  return plain.has_value();
}

os::Cgroup Leaves::at(std::uint32_t leaf) const {
  auto group = opened(leaf);
  return group ? std::move(*group) : os::Cgroup();
}

Leaves::Taken Leaves::make(std::uint32_t leaf) const {
  Taken taken;
  if (::mkdirat(above(leaf).fd(), name(leaf).text, 0755) != 0 && errno != EEXIST) {
    taken.sys_errno = errno;
    return taken;
  }
  auto group = opened(leaf);
  if (group) {
    taken.leaf = leaf;
    taken.fd = group->release();
  } else {
    taken.sys_errno = group.error().sys_errno;
    (void)above(leaf).remove_child(name(leaf).text);
  }
  return taken;
}

Leaves::Taken Leaves::take() {
  while (idle_count_ > 0) {
    const Idle& idle = idle_[idle_count_ - 1];
    auto group = opened(idle.leaf);
    const bool gone = !group && group.error().sys_errno == ENOENT;  // Somebody removed it.
    if (!group && !gone) return {Leaves::none, {}, group.error().sys_errno, {}};
    --idle_count_;
    if (group) return {idle.leaf, group->release(), 0, idle.counted};
  }
  return make(next_++);
}

Leaves::Taken Leaves::make_limited(std::uint32_t number) {
  if (limited_) return make(limited_from + number);
  Taken none_made;
  none_made.sys_errno = ENOENT;
  return none_made;
}

void Leaves::give_back(std::uint32_t leaf, Counted counted) {
  if (idle_count_ == idle_max) return discard(leaf);
  idle_[idle_count_++] = {leaf, counted};
}

os::GroupEvents Leaves::events(std::uint32_t leaf) const {
  char path[64];
  std::snprintf(path, sizeof path, "%s/cgroup.events", name(leaf).text);
  return above(leaf).events(path);
}

os::CgroupUsage Leaves::usage(std::uint32_t leaf) const {
  os::CgroupUsage usage;
  if (is_limited(leaf)) {
    const os::Cgroup group = at(leaf);
    if (group) os::read_usage(group, os::Hierarchy::unified, usage);
    return usage;
  }
  char path[64];
  std::snprintf(path, sizeof path, "%s/cpu.stat", name(leaf).text);
  os::read_cpu_at(directory_, path, usage);
  return usage;
}

void Leaves::remove_all(std::int64_t until_ns) const {
  if (root_) {
    (void)end_group(root_, until_ns);  // The limited ones are below it too.
  } else if (limited_) {
    (void)end_group(limited_, until_ns);
  }
}

int Leaves::kill(std::uint32_t leaf) const {
  const auto group = opened(leaf);
  if (!group) return group.error().sys_errno == ENOENT ? ESRCH : group.error().sys_errno;
  const int failure = group->kill();
  if (failure != ENOENT) return failure;
  // Before Linux 5.14: frozen, nobody forks away from the signals; the kernel lets SIGKILL through.
  (void)group->freeze(true);
  (void)group->for_each_process(nullptr, [](void*, pid_t pid) { (void)::kill(pid, SIGKILL); });
  return group->freeze(false);
}

void Leaves::signal(std::uint32_t leaf, int signal, pid_t but_group) const {
  struct Wanted {
    GroupName name;
    int signal;
    pid_t but_group;
  } wanted{name(leaf), signal, but_group};
  const os::Cgroup group = at(leaf);
  if (!group) return;
  (void)group.for_each_process(&wanted, [](void* given, pid_t pid) {
    const auto& to = *static_cast<const Wanted*>(given);
    if (::getpgid(pid) == to.but_group) return;
    // The pidfd first, then whether it is the one that was meant: a number alone may be another's by now.
    const os::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (pidfd && is_in(pid, to.name.text)) (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), to.signal, nullptr, 0);
  });
}

std::uint32_t Leaves::count(std::uint32_t leaf) const {
  std::uint32_t alive = 0;
  const os::Cgroup group = at(leaf);
  if (!group) return 0;
  (void)group.for_each_process(&alive, [](void* counted, pid_t) { ++*static_cast<std::uint32_t*>(counted); });
  return alive;
}

bool end_group(const os::Cgroup& group, std::int64_t until_ns) {
  const timespec pause{0, 1'000'000};
  (void)group.kill();
  while (group.population() != os::Population::empty && now_ns() < until_ns) {
    ::nanosleep(&pause, nullptr);
    (void)group.kill();  // It may have failed for want of a descriptor.
  }
  const bool told = group.population() != os::Population::unknown;
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", group.fd());
  const ssize_t bytes = ::readlink(link, path, sizeof path - 1);
  if (bytes <= 0) return told;
  path[bytes] = '\0';
  char* const slash = std::strrchr(path, '/');
  if (slash == nullptr || slash == path) return told;
  *slash = '\0';
  const auto parent = os::Cgroup::open(path);
  if (!parent) return told;
  while (parent->remove_child(slash + 1) == EBUSY && now_ns() < until_ns) ::nanosleep(&pause, nullptr);
  (void)::rmdir(path);
  return told;
}

}  // namespace netrunner::shepherd
