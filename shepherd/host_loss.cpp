#include "shepherd/host_loss.hpp"

#include <signal.h>
#include <unistd.h>

#include <ctime>

#include "shepherd/clock.hpp"
#include "shepherd/process_walk.hpp"
#include "shepherd/reaper.hpp"
#include "shepherd/sweep.hpp"

namespace netrunner::shepherd {
bool kill_all_descendants(std::int64_t until_ns) {
  static Walk walk;
  const bool can_walk = proc_is_ours();
  for (std::int64_t pause_ns = 500'000;; pause_ns = pause_ns < 4'000'000 ? 2 * pause_ns : pause_ns) {
    pid_t dead = 0;
    while ((dead = any_dead()) > 0) (void)reap(dead);
    if (dead < 0) return true;
    if (now_ns() >= until_ns) return false;
    if (can_walk && walk.descend_from(::getpid())) {
      for (const Walk::Found& found : walk.found()) signal_found(found, SIGKILL);
    }
    const timespec pause{0, static_cast<long>(pause_ns)};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace netrunner::shepherd
