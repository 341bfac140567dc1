/// Rungs of a ladder that run a command: started when they are due, bounded by their pause, and gone before the
/// leader's end is told.

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "engine/wire/stop_commands.hpp"
#include "shepherd/reach.hpp"
#include "shepherd/reaper.hpp"
#include "shepherd/shepherd.hpp"

namespace netrunner::shepherd {
namespace {

wire::StopCommandFixed killed_on_its_way(wire::ChildId id, const StopRun& run) {
  return {id, run.number, run.pid, static_cast<std::uint32_t>(Stage::exec), ECANCELED, now_ns()};
}

}  // namespace

bool Shepherd::keep_stop_commands(Child& child, SealedMap map, bool own) {
  if (!child.has_stop_run) {
    if (stop_runs_.make(child.id.slot) == nullptr) return false;
    child.has_stop_run = true;
  }
  StopRun& run = stop_runs_.at(child.id.slot);
  (own ? run.own : run.given) = std::move(map);
  return true;
}

// Of a Stop that shortens the ladder. The command before it may be on its way to exec, with the map of its own.
void Shepherd::take_brought_commands(Child& child) {
  if (brought_commands_.bytes().empty()) return;
  if (child.has_stop_run) {
    StopRun& run = stop_runs_.at(child.id.slot);
    const bool reads = run.place != StopRun::none && run.number >= wire::stop_commands_max;
    if (reads) spawner_.hand_over(run.place, std::move(run.given));
  }
  (void)keep_stop_commands(child, std::move(brought_commands_), false);
}

// Once it is through with exec, or isn't needed any more. What a child reads on its way there must stay until then.
void Shepherd::forget_stop_commands(Child& child) {
  if (!child.has_stop_run) return;
  StopRun& run = stop_runs_.at(child.id.slot);
  kill_stop_command(child);
  if (run.place != StopRun::none) {
    const bool given = run.number >= wire::stop_commands_max;
    spawner_.hand_over(run.place, std::move(given ? run.given : run.own));
  }
  stop_runs_.drop(child.id.slot);
  child.has_stop_run = false;
}

void Shepherd::run_stop_command(Child& child, const wire::WireRung& rung, std::int64_t now) {
  if (!child.has_stop_run) return fail_stop_command(child, static_cast<std::uint32_t>(rung.signal), ENOENT);
  StopRun& run = stop_runs_.at(child.id.slot);
  run.number = static_cast<std::uint32_t>(rung.signal);
  run.try_ns = now;
  try_stop_command(child, now);
}

/// Not now (no place is free, a process limit was met, the group is frozen, the one before it is still dying, or the
/// command itself is on its way to exec, and if it doesn't get there nobody looks for what was started beside it):
/// again in a moment, until the pause ends.
void Shepherd::try_stop_command(Child& child, std::int64_t now) {
  StopRun& run = stop_runs_.at(child.id.slot);
  run.try_ns = never;
  if (has_died(child.pid)) return;  // There is nothing to stop any more.
  const bool given = run.number >= wire::stop_commands_max;
  wire::StopCommand command;
  if (!wire::find_stop_command((given ? run.given : run.own).bytes(), run.number % wire::stop_commands_max, command)) {
    return fail_stop_command(child, run.number, ENOENT);
  }
  Spawner::StopStart wanted{child.id, command, child.pid, child.leaf, child.limit_group, child.hierarchies};
  Spawner::StopStarted started{{}, {}, EAGAIN};
  const bool early = child.state == State::starting || child.state == State::failing;
  const bool waits = early || (has_leaf(child) && leaves_.events(child.leaf).frozen);
  if (is_stop_command_gone(run) && !waits) started = spawner_.start_stop_command(wanted);
  if (started.sys_errno == 0) {
    run.pid = started.process.pid;
    run.pidfd = std::move(started.process.pidfd);
    run.place = started.place;
    run.told = false;
    return spawner_.expect_exec(started.place);
  }
  const bool temporary = started.sys_errno == EAGAIN || started.sys_errno == EBUSY;
  if (!temporary) return fail_stop_command(child, run.number, started.sys_errno);
  // The pause is over with the next rung: that tells that it could not be started.
  run.try_errno = waits ? EBUSY : started.sys_errno;
  run.try_ns = now + stop_retry_ns;
}

void Shepherd::fail_stop_command(Child& child, std::uint32_t number, int sys_errno, Stage stage) {
  if (child.has_stop_run) stop_runs_.at(child.id.slot).number = StopRun::none;
  say_stop_command({child.id, number, 0, static_cast<std::uint32_t>(stage), sys_errno, now_ns()});
  child.ladder.go_on(now_ns());
}

// Its exec has succeeded or failed, or it was killed on the way.
void Shepherd::on_stop_let_go(wire::ChildId id, std::uint32_t place) {
  const bool succeeded = spawner_.succeeded(place);
  const SpawnFailure failure = spawner_.failure_of(place);
  Child* child = children_.find(id);
  const bool known = child != nullptr && child->has_stop_run && stop_runs_.at(id.slot).place == place;
  spawner_.release(place);
  if (!known) return;
  StopRun& run = stop_runs_.at(id.slot);
  run.place = StopRun::none;
  if (run.told) return;
  if (succeeded) {
    say_stop_command({id, run.number, run.pid, 0, 0, now_ns()});
  } else if (failure.sys_errno != 0) {
    fail_stop_command(*child, run.number, failure.sys_errno, failure.stage);
    arm_clock(*child);
  } else {
    say_stop_command(killed_on_its_way(id, run));
  }
}

/// Its pause is over, or the ladder is another. It, its group, and nothing else: not the command.
void Shepherd::kill_stop_command(Child& child) {
  if (!child.has_stop_run) return;
  StopRun& run = stop_runs_.at(child.id.slot);
  if (run.try_ns != never) {
    run.try_ns = never;
    say_stop_command({child.id, run.number, 0, static_cast<std::uint32_t>(Stage::clone), run.try_errno, now_ns()});
  }
  // Told now: the next one may have its place and its number before its end is seen.
  if (run.place != StopRun::none && !std::exchange(run.told, true)) say_stop_command(killed_on_its_way(child.id, run));
  (void)is_stop_command_gone(run);
}

/// Signals it and its group. What of it is dead is reaped. Numbers are used only while they can't be a stranger's.
bool Shepherd::is_stop_command_gone(StopRun& run) {
  if (run.pid == 0) return true;
  siginfo_t info{};
  const auto ask = [&](int options) {
    info = siginfo_t{};
    return ::waitid(P_PIDFD, static_cast<id_t>(run.pidfd.get()), &info, WEXITED | WNOHANG | options) == 0;
  };
  const bool unreaped = ask(WNOWAIT);
  const bool dead = !unreaped || info.si_pid != 0;
  if (!dead) (void)::syscall(SYS_pidfd_send_signal, run.pidfd.get(), SIGKILL, nullptr, 0);
  if (unreaped) (void)::kill(-run.pid, SIGKILL);  // The unreaped leader pins the number.
  if (!dead) return false;
  if (unreaped) (void)ask(0);
  // Members that are left have fallen to us with it. No new process can have the number while one of them is there.
  for (pid_t member = any_dead_in(run.pid); member > 0 && !children_.is_leader(member);
       member = any_dead_in(run.pid)) {
    (void)reap(member);
  }
  const int failure = signal_stray_group(run.pid, run.pidfd.get(), SIGKILL);
  if (failure != ESRCH) return false;
  run.pid = 0;
  run.pidfd.reset();
  return true;
}

/// The leader has died; its end is told when nothing of the stop command is left that would be counted as left behind,
/// or after a moment: what doesn't die is not waited for. False: not yet.
bool Shepherd::is_over_without_stop_command(Child& child) {
  if (!child.has_stop_run) return true;
  StopRun& run = stop_runs_.at(child.id.slot);
  run.try_ns = run.look_ns = never;
  if (is_stop_command_gone(run)) return true;
  const std::int64_t now = now_ns();
  if (run.bound_ns == never) run.bound_ns = now + stop_end_max_ns;
  if (now >= run.bound_ns) return true;
  // What is killed needs a processor to die on: where many compete for them that takes a while.
  const std::int64_t waited = now - (run.bound_ns - stop_end_max_ns);
  run.look_ns = now + std::clamp<std::int64_t>(waited / 4, ms, settle_poll_max_ns);
  arm_clock(child);
  return false;
}

std::int64_t Shepherd::stop_due_ns(const Child& child) {
  if (!child.has_stop_run) return never;
  const StopRun& run = stop_runs_.at(child.id.slot);
  return std::min(run.try_ns, run.look_ns);
}

void Shepherd::look_at_stop_command(Child& child, std::int64_t now) {
  if (!child.has_stop_run) return;
  const StopRun& run = stop_runs_.at(child.id.slot);
  if (run.look_ns <= now) return look_for_end(child);
  if (run.try_ns <= now) try_stop_command(child, now);
}

}  // namespace netrunner::shepherd
