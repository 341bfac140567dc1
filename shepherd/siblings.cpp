#include "shepherd/siblings.hpp"

#include <signal.h>

#include <utility>

#include "engine/os/environment_mark.hpp"
#include "engine/os/pidfd.hpp"
#include "shepherd/leaves.hpp"
#include "shepherd/limits.hpp"
#include "shepherd/process_walk.hpp"

namespace netrunner::shepherd {
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
      one_was_killed_ = one_was_killed_ || sibling.group.population() == os::Population::populated;
      end_group(sibling.group, now + sweep_max_ns);
    } else {
      // Stopped first: none of them forks away from the second signal.
      (void)os::signal_marked(sibling.mark, SIGSTOP);
      if (os::signal_marked(sibling.mark, SIGKILL) != 0) return false;
    }
    sibling.pidfd.reset();
    sibling.group = os::Cgroup();
    return true;
  }
  const bool has_commands = sibling.group ? sibling.group.population() == os::Population::populated
                                          : os::signal_marked(sibling.mark, 0) != 0;
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
