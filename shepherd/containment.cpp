/// What a command's cgroup knows better than its process group: who is in it, however far it went.

#include <signal.h>

#include <algorithm>
#include <cerrno>

#include "shepherd/reach.hpp"
#include "shepherd/reaper.hpp"
#include "shepherd/shepherd.hpp"

namespace netrunner::shepherd {

int Shepherd::send(Child& child, std::uint32_t target, int signal) {
  const bool everything = target == static_cast<std::uint32_t>(wire::WireTarget::everything);
  if (!has_leaf(child)) {
    // Stopped first: none of them forks away from the second signal.
    if (everything && sweep_.is_on() && signal == SIGKILL) sweep_.signal_all(child, SIGSTOP);
    if (everything && sweep_.is_on()) sweep_.signal_all(child, signal);
    return send_signal(child, target, signal);
  }
  if (!everything) return send_signal(child, target, signal);
  if (signal == SIGKILL) {
    child.leaf_killed = true;
    const int failure = leaves_.kill(child.leaf);
    // Wherever it is by now: a command may have moved itself into another group.
    const int direct = send_signal(child, target, signal);
    return failure == 0 ? 0 : direct;
  }
  const int failure = send_signal(child, target, signal);
  leaves_.signal(child.leaf, signal, child.pid);
  return failure;
}

Event Shepherd::after_end_in_leaf(Child& child) {
  if (!may_have_run(child)) return Event::ended_alone;
  if (child.leaf_seen_empty) return Event::ended_alone;
  if (leaves_.population(child.leaf) == os::Population::empty) return Event::ended_alone;
  // Whoever is still on the way out of our own SIGKILL has not been left behind.
  if (!child.leaf_killed) child.stragglers = leaves_.count(child.leaf);
  return Event::ended_in_company;
}

// cgroup.kill each time: who moved itself in meanwhile is killed as well.
void Shepherd::look_at_leaf(Child& child, std::int64_t now) {
  child.leaf_killed = true;
  (void)leaves_.kill(child.leaf);
  reap_group(child);
  if (leaves_.population(child.leaf) == os::Population::empty) return happen(child, Event::group_empty);
  look_again(child, now);
}

// Of one whose stragglers are left alone. Where it can't be told yet, the answer is no.
bool Shepherd::nobody_lives(const Child& child) {
  if (has_leaf(child)) return leaves_.population(child.leaf) == os::Population::empty;
  if (child.shared && !sweep_.is_on()) return false;
  if (owns_group(child) && signal_group(child, 0) != ESRCH) return false;
  return !sweep_.is_on() || (sweep_.look(child.ended_ns) && !sweep_.is_unsure() && !sweep_.saw(child));
}

void Shepherd::look_again(Child& child, std::int64_t from) {
  child.look_ns = from + child.look_pause_ns;
  child.look_pause_ns = std::min(2 * child.look_pause_ns, settle_poll_max_ns);
  arm_clock(child);
}

// No cgroup: what fell to us and is known as the command's, and its group. Counted first, while it is all there.
void Shepherd::look_at_swept(Child& child, std::int64_t now) {
  if (!child.hunted) {
    const bool counts = ending_ <= Ending::on_shutdown;
    if (counts && !sweep_.look(child.ended_ns)) return look_again(child, sweep_.allowed_ns());
    if (counts) child.stragglers = std::max(child.stragglers, sweep_.count(child));
    sweep_.hunt(child);
  }
  if (owns_group(child)) (void)signal_group(child, SIGKILL);
  sweep_.drive(now);
  const bool certain = now - child.ended_ns < unsure_max_ns;
  if (sweep_.is_extinct(child, certain) && is_group_empty(child)) return happen(child, Event::group_empty);
  child.look_ns = std::max(now + settle_poll_min_ns, sweep_.drive_allowed_ns());
  arm_clock(child);
}

bool Shepherd::is_group_empty(const Child& child) {
  if (!owns_group(child)) return true;
  reap_group(child);
  return signal_group(child, 0) == ESRCH || live_members(child, 1) == 0;
}

// Those who are dead in it and fell to us.
void Shepherd::reap_group(const Child& child) {
  for (pid_t dead = any_dead_in(child.pid); dead > 0 && !children_.is_leader(dead); dead = any_dead_in(child.pid)) {
    (void)reap(dead);
  }
}

// Empty, never killed or frozen, without limits: the next command's. Else it goes, now or when what was left has gone.
void Shepherd::release_groups(Child& child) {
  if (has_leaf(child)) {
    const auto is_clean_now = [&] {
      const os::GroupEvents now = leaves_.events(child.leaf);
      return now.population == os::Population::empty && !now.frozen;
    };
    const bool clean = !child.leaf_killed && !child.leaf_spoilt && !Leaves::is_limited(child.leaf) &&
                       (child.leaf_seen_empty || is_clean_now());
    clean ? leaves_.give_back(child.leaf, child.counted) : leaves_.discard(child.leaf);
    child.leaf = Leaves::none;
  }
  if (child.limit_group == LimitGroups::none) return;
  limits_.discard(child.limit_group, child.hierarchies);
  child.limit_group = LimitGroups::none;
}

}  // namespace netrunner::shepherd
