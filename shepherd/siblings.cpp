#include "shepherd/siblings.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "engine/os/pidfd.hpp"
#include "shepherd/leaves.hpp"
#include "shepherd/limits.hpp"
#include "shepherd/mark.hpp"
#include "shepherd/process_walk.hpp"

namespace netrunner::shepherd {
namespace {

/// Processes anywhere that carry the mark of this shepherd. `signal` 0: counts only.
std::uint32_t signal_marked(std::uint64_t shepherd, int signal) {
  DIR* processes = ::opendir("/proc");
  if (processes == nullptr) return 0;
  std::uint32_t found = 0;
  while (const dirent* entry = ::readdir(processes)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 1) continue;
    const os::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    Mark mark;
    if (!pidfd || !mark_of(pid, mark) || mark.shepherd != shepherd) continue;
    ++found;
    if (signal != 0) (void)os::signal_pidfd(pidfd.get(), signal);
  }
  ::closedir(processes);
  return found;
}

}  // namespace

void Siblings::meet(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group) {
  Sibling* place = nullptr;
  for (Sibling& known : siblings_) {
    if (!known.pidfd && place == nullptr) place = &known;
    if (known.pidfd && known.number == sibling.number) {
      place = &known;
      break;
    }
  }
  if (place == nullptr) return;
  *place = {sibling.number, sibling.mark, std::move(pidfd), os::Cgroup(std::move(group)), 0};
}

bool Siblings::end_what_they_left(std::int64_t now) {
  bool all = true;
  for (Sibling& sibling : siblings_) {
    if (sibling.pidfd) all = end(sibling, now) && all;
  }
  return all;
}

bool Siblings::end(Sibling& sibling, std::int64_t now) {
  if (os::has_ended(sibling.pidfd.get())) {
    if (sibling.group) {
      end_group(sibling.group, now + sweep_max_ns);
    } else {
      // Stopped first: none of them forks away from the second signal.
      (void)signal_marked(sibling.mark, SIGSTOP);
      if (signal_marked(sibling.mark, SIGKILL) != 0) return false;
    }
    sibling.pidfd.reset();
    sibling.group = os::Cgroup();
    return true;
  }
  const bool has_commands = sibling.group ? sibling.group.population() == os::Population::populated
                                          : signal_marked(sibling.mark, 0) != 0;
  if (!has_commands) return true;
  // It runs its ladders, unless it can't.
  if (status_of(os::pid_of(sibling.pidfd.get())).state != 'T') {
    sibling.stopped_since_ns = 0;
  } else if (sibling.stopped_since_ns == 0) {
    sibling.stopped_since_ns = now;
  } else if (now - sibling.stopped_since_ns > sibling_stopped_max_ns) {
    (void)os::signal_pidfd(sibling.pidfd.get(), SIGKILL);
  }
  return false;
}

}  // namespace netrunner::shepherd
