#include "engine/os/marked_hunt.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "engine/os/command_mark.hpp"
#include "engine/os/pidfd.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/os/want_of_room.hpp"

namespace netrunner::os {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t chase_max_ns = 2 * ms;
constexpr std::int64_t look_max_ns = 4 * ms;
constexpr pid_t newest_count = 256;
constexpr std::uint32_t limit_looks_wanted = 2, looks_wanted = limit_looks_wanted + 1;

using MarkOf = bool (*)(pid_t, CommandMark&) noexcept;

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// The pidfd before the mark: the number alone may be another's by now. Empty: not marked, or dead; `unsure` is set
/// where it can't be told.
UniqueFd living_marked(pid_t pid, std::uint64_t shepherd, MarkOf mark_of, bool& unsure) {
  CommandMark mark;
  const auto is_marked = [&] { return mark_of(pid, mark) && mark.shepherd == shepherd; };
  // Cheap, it saves a pidfd for each process of the machine; the environment is read of the living alone.
  if (mark_of == limit_mark_of && !is_marked()) return {};
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  unsure = unsure || (!pidfd && is_want_of_room(errno));
  if (!pidfd || has_ended(pidfd.get()) || !is_marked()) return {};
  return pidfd;
}

/// True: it was marked and lived, or may have been.
bool kill_if_marked(pid_t pid, std::uint64_t shepherd, MarkOf mark_of) {
  bool unsure = false;
  const UniqueFd pidfd = living_marked(pid, shepherd, mark_of, unsure);
  if (pidfd) (void)signal_pidfd(pidfd.get(), SIGKILL);
  return pidfd || unsure;
}

/// The number that was given out last: the last word of /proc/loadavg, see proc(5). 0: it isn't to be had.
pid_t newest() {
  const UniqueFd file(::open("/proc/loadavg", O_RDONLY | O_CLOEXEC));
  std::array<char, 128> text{};
  if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) return 0;
  const char* word = std::strrchr(text.data(), ' ');
  return word == nullptr ? 0 : std::atoi(word);
}

/// Calls `visit` with each process from `place` on until it says false; `place` is 0 at the end. A few names a call:
/// readdir(3) would ask for a thousand, and the last of them would be stale when their turn comes. False: they can't be
/// listed now, and may be in a moment.
template <class Visit>
bool each_process(std::int64_t& place, Visit visit) {
  const UniqueFd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc && is_want_of_room(errno)) return false;
  if (proc && place != 0) (void)::lseek64(proc.get(), place, SEEK_SET);
  place = 0;
  alignas(dirent64) std::array<char, 256> names;
  for (;;) {
    const ssize_t bytes = proc ? ::getdents64(proc.get(), names.data(), names.size()) : 0;
    if (bytes <= 0) return true;
    for (ssize_t at = 0; at < bytes;) {
      const auto* entry = reinterpret_cast<const dirent64*>(names.data() + at);
      const pid_t pid = std::atoi(entry->d_name);
      if (pid > 1 && !visit(pid)) {
        place = entry->d_off;
        return true;
      }
      at += entry->d_reclen;
    }
  }
}

}  // namespace

/// True: there was one.
bool MarkedHunt::kill_the_newest() noexcept {
  const pid_t last = newest();
  bool found = false;
  for (pid_t pid = last; pid > std::max(1, last - newest_count); --pid) {
    found = kill_if_marked(pid, shepherd_, limit_mark_of) || found;
  }
  return found;
}

void MarkedHunt::look_on(std::int64_t until_ns) noexcept {
  const MarkOf mark_of = quiet_looks_ < limit_looks_wanted ? limit_mark_of : environment_mark_of;
  const bool listed = each_process(place_, [&](pid_t pid) {
    found_ = kill_if_marked(pid, shepherd_, mark_of) || found_;
    return now_ns() < until_ns;
  });
  found_ = found_ || !listed;
  if (place_ != 0) return;
  quiet_looks_ = found_ ? 0 : quiet_looks_ + 1;
  found_ = false;
}

bool MarkedHunt::kill_some() noexcept {
  const std::int64_t began = now_ns();
  while (kill_the_newest()) {
    quiet_looks_ = 0;
    if (now_ns() - began > chase_max_ns) break;
  }
  const std::int64_t until = now_ns() + look_max_ns;
  while (quiet_looks_ < looks_wanted && now_ns() < until) look_on(until);
  return quiet_looks_ == looks_wanted;
}

bool any_marked(std::uint64_t shepherd) noexcept {
  bool any = false;
  for (const MarkOf mark_of : {MarkOf(limit_mark_of), MarkOf(environment_mark_of)}) {
    std::int64_t place = 0;
    const bool listed = each_process(place, [&](pid_t pid) {
      bool unsure = false;
      any = living_marked(pid, shepherd, mark_of, unsure) || unsure;
      return !any;
    });
    any = any || !listed;
    if (any) break;
  }
  return any;
}

}  // namespace netrunner::os
