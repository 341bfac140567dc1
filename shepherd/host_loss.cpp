#include "shepherd/host_loss.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "engine/os/unique_fd.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/process_walk.hpp"
#include "shepherd/reaper.hpp"

namespace netrunner::shepherd {
namespace {

// A number from /proc may be another process's by now. Its pidfd is opened first, then the parent is compared: had the
// process behind the pidfd been reaped before that, the signal finds nobody.
void kill_descendant(const Walk::Found& found) {
  if (found.parent == ::getpid()) {
    (void)::kill(found.pid, SIGKILL);  // Ours, unreaped: its number can't be another's.
    return;
  }
  const os::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, found.pid, 0)));
  if (!pidfd) return;
  const pid_t parent = status_of(found.pid).parent;
  if (parent != found.parent && parent != ::getpid()) return;
  (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
}

}  // namespace

bool kill_all_descendants(std::int64_t until_ns) {
  static Walk walk;
  const bool can_walk = proc_is_ours();
  for (std::int64_t pause_ns = 500'000;; pause_ns = pause_ns < 4'000'000 ? 2 * pause_ns : pause_ns) {
    pid_t dead = 0;
    while ((dead = any_dead()) > 0) (void)reap(dead);
    if (dead < 0) return true;
    if (now_ns() >= until_ns) return false;
    if (can_walk && walk.descend(nullptr, nullptr)) {
      for (const Walk::Found& found : walk.found()) kill_descendant(found);
    }
    const timespec pause{0, static_cast<long>(pause_ns)};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace netrunner::shepherd
