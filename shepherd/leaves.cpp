#include "shepherd/leaves.hpp"

#include <signal.h>
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

struct Name {
  explicit Name(std::uint32_t leaf) { std::snprintf(text, sizeof text, "c%u", leaf); }
  char text[16];
};

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
  if (!old_.is_open() && !old_.open(commands_max)) return false;
  directory_ = os::Cgroup(std::move(directory));
  return true;
}

os::Cgroup Leaves::at(std::uint32_t leaf) const {
  auto opened = directory_.open_child(Name(leaf).text);
  return opened ? std::move(*opened) : os::Cgroup();
}

Leaves::Taken Leaves::take() {
  while (idle_count_ > 0) {
    const std::uint32_t leaf = idle_[--idle_count_];
    if (os::Cgroup group = at(leaf)) return {leaf, group.release(), 0};  // Else somebody removed it.
  }
  const std::uint32_t leaf = next_++;
  if (::mkdirat(directory_.fd(), Name(leaf).text, 0755) != 0 && errno != EEXIST) return {none, {}, errno};
  if (os::Cgroup group = at(leaf)) return {leaf, group.release(), 0};
  return {none, {}, errno};
}

void Leaves::give_back(std::uint32_t leaf) {
  if (idle_count_ == idle_max) return discard(leaf);
  idle_[idle_count_++] = leaf;
}

void Leaves::discard(std::uint32_t leaf) {
  if (directory_.remove_child(Name(leaf).text) == 0) return;
  if (old_count_ == commands_max) return;  // The end removes it with the directory.
  old_[old_count_++] = leaf;
  pause_ns_ = leaf_retry_min_ns;
  due_ns_ = std::min(due_ns_, now_ns() + pause_ns_);
}

os::Population Leaves::population(std::uint32_t leaf) const {
  const os::Cgroup group = at(leaf);
  return group ? group.population() : os::Population::empty;  // Gone: removed by somebody, so nobody is in it.
}

int Leaves::kill(std::uint32_t leaf) const {
  const os::Cgroup group = at(leaf);
  if (!group) return ESRCH;
  const int failure = group.kill();
  if (failure != ENOENT) return failure;
  // Before Linux 5.14: frozen, nobody forks away from the signals; the kernel lets SIGKILL through.
  (void)group.freeze(true);
  (void)group.for_each_process(nullptr, [](void*, pid_t pid) { (void)::kill(pid, SIGKILL); });
  return group.freeze(false);
}

void Leaves::signal(std::uint32_t leaf, int signal, pid_t but_group) const {
  struct Wanted {
    Name name;
    int signal;
    pid_t but_group;
  } wanted{Name(leaf), signal, but_group};
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

void Leaves::try_again(std::int64_t now) {
  for (std::uint32_t i = 0; i < old_count_;) {
    if (directory_.remove_child(Name(old_[i]).text) == 0) {
      old_[i] = old_[--old_count_];
    } else {
      ++i;
    }
  }
  pause_ns_ = std::min(2 * pause_ns_, leaf_retry_max_ns);
  due_ns_ = old_count_ == 0 ? never : now + pause_ns_;
}

void end_group(const os::Cgroup& group, std::int64_t until_ns) {
  (void)group.kill();
  const timespec pause{0, 1'000'000};
  while (group.population() == os::Population::populated && now_ns() < until_ns) ::nanosleep(&pause, nullptr);
  char link[64], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", group.fd());
  const ssize_t bytes = ::readlink(link, path, sizeof path - 1);
  if (bytes <= 0) return;
  path[bytes] = '\0';
  char* const slash = std::strrchr(path, '/');
  if (slash == nullptr || slash == path) return;
  *slash = '\0';
  const auto parent = os::Cgroup::open(path);
  if (!parent) return;
  while (parent->remove_child(slash + 1) == EBUSY && now_ns() < until_ns) ::nanosleep(&pause, nullptr);
  (void)::rmdir(path);
}

}  // namespace netrunner::shepherd
