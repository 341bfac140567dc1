#include "shepherd/sweep.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <span>

#include "engine/os/command_mark.hpp"
#include "engine/os/process_status.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/os/want_of_room.hpp"
#include "shepherd/reaper.hpp"
#include "shepherd/urgency.hpp"

namespace netrunner::shepherd {
namespace {

constexpr std::uint64_t quiet_looks_wanted = 2;
constexpr timespec time_to_die{0, 50'000};  // Whoever was killed needs a processor for it.

}  // namespace

// A number from /proc may be another process's by now. Its pidfd is opened first, then the parent is compared: had the
// process behind the pidfd been reaped before that, the signal finds nobody.
void signal_found(const Walk::Found& found, int signal) noexcept {
  if (found.parent == ::getpid()) {
    (void)::kill(found.pid, signal);  // Ours, unreaped: its number can't be another's.
    return;
  }
  const os::UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, found.pid, 0)));
  if (!pidfd) return;
  const pid_t parent = os::status_of(found.pid).parent;
  if (parent != found.parent && parent != ::getpid()) return;
  (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

std::uint64_t own_mark() noexcept {
  static const std::uint64_t mark =
      ((static_cast<std::uint64_t>(::getpid()) << 40) ^ static_cast<std::uint64_t>(now_ns())) & os::shepherd_mark_max;
  return mark;
}

bool Sweep::look(std::int64_t since) {
  const std::int64_t now = now_ns();
  if (looked_ns_ > since) return true;
  if (now < allowed_ns_) return false;
  const std::int64_t spent = spent_ns();
  look_now();
  allowed_ns_ = later(now_ns(), scan_cost_factor * (spent_ns() - spent));
  return true;
}

void Sweep::look_now() {
  looked_ns_ = now_ns();
  ++looks_;
  count_ = killed_groups_count_ = 0;
  const bool listed = each_orphan(this, [](void* self, pid_t child) { static_cast<Sweep*>(self)->meet(child); });
  const bool may_see_again = os::is_want_of_room(errno);
  if (!listed) unsure_look_ = looks_;
  if (!listed && may_see_again) blind_look_ = looks_;
  reap_the_dead();
}

void Sweep::meet(pid_t pid) {
  if (children_.is_leader(pid)) return;
  const bool dead = has_died(pid);
  // Whose the dead are matters to a hunt only.
  const std::uint32_t slot = dead && !hunts_ ? nobodys : owner_of(pid, dead);
  if (slot != nobodys) {
    Child& child = children_.at(slot);
    if (!dead || child.hunted) child.seen_look = looks_;
    if (child.hunted) {
      busy_look_ = looks_;
      kill_met(child, pid, dead);
    }
  }
  if (count_ < orphans_.size()) orphans_[count_++] = {pid, slot, dead};
}

// While it is unreaped, a dead process keeps its group's number from being another's: all of the group dies by one
// signal, which no fork escapes. Those that are alive may leave their group at any moment, and are killed one by one.
void Sweep::kill_met(const Child& child, pid_t pid, bool dead) {
  if (!dead) {
    (void)::kill(pid, SIGKILL);
    return;
  }
  const pid_t group = ::getpgid(pid);
  if (group <= 1 || group == ::getpgrp() || children_.is_leader(group)) return;
  // Commands that share a group share our session too.
  if ((child.joined || child.shared) && ::getsid(pid) == ::getsid(0)) return;
  const auto known = std::span(killed_groups_).first(std::min(killed_groups_count_, killed_groups_.size()));
  if (std::ranges::find(known, group) != known.end()) return;  // A hundred dead of one group are no rare thing.
  killed_groups_[killed_groups_count_++ % killed_groups_.size()] = group;
  (void)::kill(-group, SIGKILL);
}

void Sweep::reap_the_dead() {
  reaped_ = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!orphans_[i].dead) continue;
    (void)reap(orphans_[i].pid);
    ++reaped_;
  }
}

// The marks first: no setsid(2) changes them. The limit before the environment: it is cheap, and the dead have it too.
std::uint32_t Sweep::owner_of(pid_t pid, bool dead) {
  os::CommandMark mark;
  const bool by_limit = os::limit_mark_of(pid, mark) && mark.shepherd == own_mark();
  const bool ours = by_limit || (!dead && os::environment_mark_of(pid, mark) && mark.shepherd == own_mark());
  if (ours) return children_.find({mark.slot, mark.generation}) != nullptr ? mark.slot : nobodys;
  if (const Child* child = children_.of_number(::getpgid(pid))) return child->id.slot;
  if (const Child* child = children_.of_number(::getsid(pid))) return child->id.slot;
  if (dead || !os::has_environment(pid)) unsure_look_ = looks_;
  return nobodys;
}

std::uint32_t Sweep::count(const Child& child) {
  std::uint32_t alive = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    if (orphans_[i].slot != child.id.slot || orphans_[i].dead) continue;
    ++alive;
    if (!walk_.descend_from(orphans_[i].pid)) continue;
    alive += static_cast<std::uint32_t>(std::ranges::count_if(
        walk_.found(), [](const Walk::Found& found) { return !os::is_dead(os::status_of(found.pid).state); }));
  }
  return alive;
}

void Sweep::hunt(Child& child) noexcept {
  hunts_ = true;
  child.hunted = true;
  child.seen_look = looks_;
}

void Sweep::drive(std::int64_t now) {
  if (now < drive_allowed_ns_) return;
  const std::int64_t began = spent_ns();
  const auto is_quiet = [this] { return looks_ - std::max(busy_look_, unsure_look_) >= quiet_looks_wanted; };
  std::uint32_t deaths = 0;
  const Urgency urgency;
  for (;;) {
    look_now();
    deaths += reaped_;
    if (is_quiet() || spent_ns() - began > sweep_budget_ns) break;
    ::nanosleep(&time_to_die, nullptr);
  }
  // Those that run from it get no time to breathe; what dies slowly, or not at all, costs a fifth of the time.
  const std::int64_t took = spent_ns() - began;
  drive_allowed_ns_ = later(now_ns(), deaths > 0 && !is_quiet() ? took : 4 * took);
}

bool Sweep::is_extinct(const Child& child, bool certain) const noexcept {
  const std::uint64_t last = std::max(child.seen_look, certain ? unsure_look_ : blind_look_);
  return looks_ >= last + quiet_looks_wanted;
}

void Sweep::signal_below(pid_t root, int signal) {
  if (!walk_.descend_from(root)) return;
  for (const Walk::Found& found : walk_.found()) signal_found(found, signal);
}

void Sweep::signal_all(const Child& child, int signal) {
  if (child.leader_unreaped) signal_below(child.pid, signal);
  // SIGKILL is followed by a hunt for what fell to us.
  if (signal == SIGKILL || signal == SIGSTOP || !look(now_ns() - orphans_age_max_ns)) return;
  for (std::size_t i = 0; i < count_; ++i) {
    const Orphan& orphan = orphans_[i];
    if (orphan.slot != child.id.slot || orphan.dead || children_.is_leader(orphan.pid)) continue;
    // It may have been reaped since the look, and its number may be another orphan's.
    if (is_unreaped(orphan.pid) && owner_of(orphan.pid, false) == child.id.slot) {
      signal_below(orphan.pid, signal);
      (void)::kill(orphan.pid, signal);
    }
  }
}

}  // namespace netrunner::shepherd
