#include "shepherd/siblings.hpp"

#include <algorithm>
#include <utility>

#include "engine/os/marked_hunt.hpp"
#include "engine/os/pidfd.hpp"
#include "engine/os/process_status.hpp"
#include "shepherd/leaves.hpp"
#include "shepherd/limits.hpp"
#include "shepherd/urgency.hpp"

namespace netrunner::shepherd {

void Siblings::meet(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group) {
  Sibling* place = nullptr;
  for (Sibling& known : siblings_) {
    if (known.pidfd && known.number == sibling.number) known.replaced = true;
    if (known.replaced && !has_any(known)) known = {};
    if (!known.pidfd && place == nullptr) place = &known;
  }
  if (place == nullptr) return;
  place->number = sibling.number;
  place->mark = sibling.mark;
  place->marks = sibling.level == wire::WireContainment::subreaper;
  place->hunt = os::MarkedHunt(sibling.mark);
  place->pid = os::pid_of(pidfd.get());
  place->pidfd = std::move(pidfd);
  place->group = os::Cgroup(std::move(group));
}

void Siblings::say_farewell() const {
  for (const Sibling& sibling : siblings_) {
    if (sibling.pidfd) (void)os::signal_pidfd(sibling.pidfd.get(), farewell_signal);
  }
}

void Siblings::on_farewell(pid_t from) {
  for (Sibling& sibling : siblings_) {
    if (sibling.pidfd && sibling.pid == from) sibling.said_farewell = true;
  }
}

void Siblings::look_who_died() {
  for (Sibling& sibling : siblings_) {
    if (sibling.pidfd && !sibling.dead) sibling.dead = os::has_ended(sibling.pidfd.get());
  }
}

bool Siblings::one_was_killed() const noexcept {
  return one_was_killed_ || std::ranges::any_of(siblings_, was_killed);
}

bool Siblings::end_what_they_left(std::int64_t now) {
  bool all = true;
  for (Sibling& sibling : siblings_) {
    if (sibling.dead) all = end_what_it_left(sibling, now) && all;
  }
  return all;
}

bool Siblings::end_what_it_left(Sibling& sibling, std::int64_t now) {
  one_was_killed_ = one_was_killed_ || was_killed(sibling);
  if (sibling.group && !end_group(sibling.group, now + sweep_max_ns)) return false;
  if (sibling.marks) sibling.group = os::Cgroup();
  if (!sibling.group) {
    const Urgency urgency;
    const std::int64_t until = now + hunt_budget_ns;
    while (!sibling.hunt.kill_some()) {
      if (now_ns() >= until) return false;
    }
  }
  sibling = {};
  return true;
}

bool Siblings::has_any(const Sibling& sibling) {
  if (sibling.group && sibling.group.population() != os::Population::empty) return true;
  return (!sibling.group || sibling.marks) && os::any_marked(sibling.mark);
}

bool Siblings::have_none(std::int64_t now) {
  bool none = true;
  for (Sibling& sibling : siblings_) {
    if (!sibling.pidfd) continue;
    if (now >= sibling.ask_ns) {
      const std::int64_t began = now_ns();
      sibling.has_commands = has_any(sibling);
      sibling.ask_ns = now + std::max(sibling_ask_ns, scan_cost_factor * (now_ns() - began));
      if (sibling.has_commands) kill_if_stopped(sibling, now);
    }
    none = none && !sibling.has_commands;
  }
  return none;
}

// It runs its ladders, unless it can't.
void Siblings::kill_if_stopped(Sibling& sibling, std::int64_t now) {
  if (os::status_of(sibling.pid).state != 'T') {
    sibling.stopped_since_ns = 0;
  } else if (sibling.stopped_since_ns == 0) {
    sibling.stopped_since_ns = now;
  } else if (now - sibling.stopped_since_ns > sibling_stopped_max_ns) {
    (void)os::signal_pidfd(sibling.pidfd.get(), SIGKILL);
  }
}

}  // namespace netrunner::shepherd
