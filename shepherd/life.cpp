/// What happens to a command: the table says which deed, these functions do it.

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "shepherd/reach.hpp"
#include "shepherd/shepherd.hpp"

namespace netrunner::shepherd {

void Shepherd::happen(Child& child, Event event) {
  const Step next = step(child.state, event);
  NR_ASSERT(next.deed != Deed::impossible);
  const State before = child.state;
  child.state = next.next;
  perform(child, next.deed);  // It may bring about the next event: only the step that frees the slot forgets it.
  if (before != State::free && next.next == State::free) {
    forget_stop_commands(child);
    release_groups(child);
    clock_.clear(child.id.slot);
    child.group_pidfd.reset();
    child.pidfd.reset();
    children_.forget();
  }
}

void Shepherd::perform(Child& child, Deed deed) {
  switch (deed) {
    case Deed::none: return;
    case Deed::impossible: return;
    case Deed::refuse_slot: return;  // on_spawn has answered before it came to this.
    case Deed::withdraw:
      spawner_.withdraw(child.id);
      return say_start_failed(child.id, {Stage::exec, ECANCELED, 0, "", {}});
    case Deed::report_refusal: return say_start_failed(child.id, failure_);
    case Deed::report_started:
      child.bound_ns = never;
      arm_clock(child);
      say_started(child);
      if (child.leader_unreaped) watch_cpu_time(child);
      return expect_end(child);
    case Deed::await_end:
      if (child.state == State::deciding) child.bound_ns = now_ns() + decide_max_ns;
      arm_clock(child);
      return expect_end(child);
    case Deed::report_failure: {
      SpawnFailure failure = spawner_.failure_of(child.place);
      // Killed on its way: by us, or by somebody else.
      if (failure.sys_errno == 0 && !child.signalled && ran_out_of_memory(child)) {
        failure = {Stage::cgroup, ENOMEM, wire::no_group, "", {}};
      }
      if (failure.sys_errno == 0) failure.sys_errno = child.signalled ? ECANCELED : EINTR;
      child.leaf_spoilt = true;
      say_start_failed(child.id, failure);
      return release_place(child);
    }
    case Deed::report_cancelled: return say_start_failed(child.id, {Stage::exec, ECANCELED, 0, "", {}});
    case Deed::report_exit: return say_exited(child, child.state == State::free);
    case Deed::climb: return climb(child);
    case Deed::kill_group: return kill_group(child);
    case Deed::report_settled: return say_settled(child.id, child.stragglers, true, usage_of(child));
    case Deed::report_left:
      return say_settled(child.id, child.stragglers, nobody_lives(child), usage_of(child));
    case Deed::answer_settled: return say_settled(child.id, 0, true);
  }
}

void Shepherd::on_cloned(wire::ChildId id, std::uint32_t place, CloneResult& process) {
  Child& child = children_.at(id.slot);
  const ChildJob& job = spawner_.job_of(place);
  child.pid = process.pid;
  child.pidfd = std::move(process.pidfd);
  child.place = place;
  child.spawned_ns = now_ns();
  child.leader_unreaped = true;
  child.leaf = process.leaf;
  child.before = child.counted = process.before;
  child.limit_group = process.limit_group;
  child.hierarchies = job.fixed->hierarchies;
  child.refused_writes = process.refused_writes;
  child.cpu_time_ns = job.fixed->cpu_time_ns;
  child.joined = (job.fixed->flags & wire::join_group) != 0;
  child.ladder = Ladder::of(job.rungs);
  if (job.stop_commands >= 0) {
    SealedMap commands;
    // What can't be mapped is missing when its rung is due: said then.
    if (commands.open(job.stop_commands, wire::stop_commands_bytes_max) == 0) {
      (void)keep_stop_commands(child, std::move(commands), true);
    }
  }
  children_.mark_leader(child.pid, true);
  if (child.joined) {
    // Its leader may be dead by now: others in it made the joining possible.
    if (Child* owner = children_.of_number(job.fixed->join_group)) owner->shared = true;
  }
  happen(child, Event::cloned);
  watch_end(child);
}

void Shepherd::on_let_go(wire::ChildId id, std::uint32_t place) {
  Child& child = children_.at(id.slot);
  child.exec_ns = now_ns();
  if (!spawner_.succeeded(place)) return happen(child, Event::exec_failed);
  release_place(child);
  happen(child, child.signalled ? Event::exec_unsure : Event::exec_done);
}

void Shepherd::release_place(Child& child) {
  spawner_.release(child.place);
  child.place = Spawner::no_place;
}

// From the clone on; the poll keeps the file while it is armed, so the descriptor may go to the host: our own table
// stays small, which each clone copies.
void Shepherd::watch_end(Child& child) {
  if (!child.pidfd) child.pidfd = os::UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pidfd) return;  // The look for orphans finds its death.
  child.exit_poll.arm(*ring_, child.pidfd.get(), POLLIN);
  child.watched_turn = turns_;
}

void Shepherd::expect_end(Child& child) {
  if (!child.leader_unreaped) return;
  if (child.exit_poll.idle()) child.end_told ? look_for_end(child) : watch_end(child);
}

// What became of its exec is heard first: that completion is under way.
void Shepherd::on_exit_poll(void* given, ring::Completion) {
  Child& child = *static_cast<Child*>(given);
  child.end_told = true;
  if (child.state != State::starting) static_cast<Shepherd*>(child.shepherd)->look_for_end(child);
}

// Its end should have been told and was not: what waits for it is ended, and then looks by itself.
void Shepherd::heal(Child& child) {
  if (child.state == State::starting) return spawner_.nudge(child.place);
  child.exit_poll.idle() ? look_for_end(child) : ring_->cancel(child.exit_poll);
}

// Whatever brought us here is a hint: the process itself says whether it has ended.
void Shepherd::look_for_end(Child& child) {
  if (!child.leader_unreaped) return;
  if (child.has_stop_run && has_died(child.pid) && !is_over_without_stop_command(child)) return;
  child.end_told = false;
  // In a leaf a dead leader counts no more: nobody is left in it, and nobody can come into it.
  const os::GroupEvents leaf = has_leaf(child) ? leaves_.events(child.leaf) : os::GroupEvents{};
  const bool empty_leaf = has_leaf(child) && leaf.population == os::Population::empty;
  const bool pins = owns_group(child) && may_have_run(child) && !empty_leaf;
  os::UniqueFd pin = pins ? pin_group(child.pid) : os::UniqueFd();
  death_ = reap(child.pid);
  if (!death_.seen) return watch_end(child);
  children_.mark_leader(child.pid, false);
  child.leader_unreaped = false;
  child.ended_ns = now_ns();
  child.group_pidfd = std::move(pin);
  child.leaf_seen_empty = empty_leaf;
  child.leaf_spoilt = leaf.frozen || (death_.code == CLD_KILLED && death_.status == SIGKILL);
  const Event end = after_end(child);
  // Who leaves others behind did run, and who has exited by itself: short of exec it would have said why.
  const bool ran = end == Event::ended_in_company || death_.code == CLD_EXITED;
  if (child.state == State::deciding && ran) happen(child, Event::given_up);
  happen(child, end);
  if (child.state != State::leaderless) return;
  arm_clock(child);
  // The host decides what becomes of the others, as long as there is one.
  if (ending_ > Ending::on_shutdown) happen(child, Event::settle_stop);
}

Event Shepherd::after_end(Child& child) {
  if (has_leaf(child)) return after_end_in_leaf(child);
  if (!may_have_run(child)) return Event::ended_alone;
  if (sweep_.is_on()) return after_end_swept(child);
  if (!owns_group(child) || has_no_group(child)) return Event::ended_alone;
  reap_group(child);
  if (has_no_group(child)) return Event::ended_alone;
  child.stragglers = live_members(child, 1);
  return child.stragglers == 0 ? Event::ended_alone : Event::ended_in_company;
}

// Right after its leader's end. Before Linux 6.9 nothing pins the number any more; no process was started since the
// reap, so nobody else can be the group's: asking is safe.
bool Shepherd::has_no_group(const Child& child) {
  if (child.group_pidfd) return signal_group(child, 0) == ESRCH;
  return ::kill(-child.pid, 0) != 0 && errno == ESRCH;
}

// One look serves all that ended before it; where it is too soon for one, the settling waits for it.
Event Shepherd::after_end_swept(Child& child) {
  if (!sweep_.look(now_ns())) return Event::ended_in_company;
  child.stragglers = sweep_.count(child);
  const bool unclear = sweep_.is_unsure() || sweep_.saw(child) || (owns_group(child) && !has_no_group(child));
  return child.stragglers > 0 || unclear ? Event::ended_in_company : Event::ended_alone;
}

std::uint32_t Shepherd::live_members(const Child& child, std::uint32_t unknown) {
  std::uint32_t alive = 0;
  return orphans_.count_group(child.pid, alive) ? alive : unknown;
}

// No rungs given: its own ladder.
void Shepherd::climb(Child& child) {
  const std::int64_t now = now_ns();
  if (wanted_rungs_.empty() && child.ladder.under_way()) return;
  const Ladder wanted = wanted_rungs_.empty() ? child.ladder : Ladder::of(wanted_rungs_);
  if (!replaces(wanted, child.ladder, now)) return;
  kill_stop_command(child);
  take_brought_commands(child);
  child.ladder = wanted;
  child.ladder.begin(now);
  climb_due(child, now);
  arm_clock(child);
}

void Shepherd::climb_due(Child& child, std::int64_t now) {
  while (child.leader_unreaped && child.ladder.due_ns() <= now) {
    kill_stop_command(child);  // Its pause is over.
    const wire::WireRung rung = child.ladder.climb(now);
    if (rung.target == static_cast<std::uint32_t>(wire::WireTarget::command)) {
      run_stop_command(child, rung, now);
      continue;
    }
    if (child.state == State::starting || child.state == State::deciding) child.signalled = true;
    const int failure = send(child, rung.target, rung.signal);
    if (failure == 0 && needs_continue(rung.signal)) (void)send(child, rung.target, SIGCONT);
    child.ladder.pause_from(now_ns(), rung);
    say_signal_sent(child.id, wire::SignalFixed{child.id, 0, rung.signal, rung.target, 0}, failure);
  }
}

void Shepherd::kill_group(Child& child) {
  const std::int64_t now = now_ns();
  const bool by_group = !has_leaf(child) && !sweep_.is_on();
  if (by_group) child.stragglers = std::max(child.stragglers, live_members(child, child.stragglers));
  child.bound_ns = now + settle_max_ns;
  child.look_pause_ns = settle_poll_min_ns;
  look_at_group(child, now);
}

// SIGKILL each time: a member may have forked between the look and the signal before.
void Shepherd::look_at_group(Child& child, std::int64_t now) {
  if (has_leaf(child)) return look_at_leaf(child, now);
  if (sweep_.is_on()) return look_at_swept(child, now);
  // Another command's members can't be told from what this one left.
  if (!owns_group(child)) return happen(child, child.shared ? Event::given_up : Event::group_empty);
  reap_group(child);
  if (signal_group(child, SIGKILL) == ESRCH) return happen(child, Event::group_empty);
  // Dead members may wait for a parent outside the group to reap them: they are no processes any more.
  if (child.look_pause_ns >= 16 * ms && live_members(child, 1) == 0) return happen(child, Event::group_empty);
  child.look_ns = now + child.look_pause_ns;
  child.look_pause_ns = std::min(2 * child.look_pause_ns, settle_poll_max_ns);
  arm_clock(child);
}

void Shepherd::on_due(std::uint32_t slot, std::int64_t now) {
  if (!children_.in_use(slot)) return;
  Child& child = children_.at(slot);
  if (child.bound_ns <= now) {
    child.bound_ns = never;
    happen(child, Event::given_up);
  } else if (child.state == State::settling) {
    look_at_group(child, now);
  } else {
    if (child.cpu_look_ns <= now) look_at_cpu_time(child, now);
    climb_due(child, now);
    look_at_stop_command(child, now);
  }
  if (child.state != State::free) arm_clock(child);
}

void Shepherd::arm_clock(Child& child) {
  std::int64_t due = child.bound_ns;
  if (child.state == State::settling) due = std::min(due, child.look_ns);
  const bool spends = child.state == State::running || child.state == State::leaderless;
  if (spends) due = std::min(due, child.cpu_look_ns);
  if (child.leader_unreaped) due = std::min({due, child.ladder.due_ns(), stop_due_ns(child)});
  clock_.set(child.id.slot, due);
}

}  // namespace netrunner::shepherd
