#include "shepherd/orphans.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>

#include "engine/os/process_status.hpp"
#include "shepherd/reaper.hpp"

namespace netrunner::shepherd {
namespace {

constexpr std::int64_t cheap_reap_ns = 20'000;
constexpr std::uint32_t many_reaped = 16;

// `spent`: processor time, and not on work that is done: where they die by thousands, they are reaped as fast.
std::int64_t pause_after(std::int64_t spent, std::uint32_t reaped) {
  if (reaped >= many_reaped && spent / reaped < cheap_reap_ns) return std::max(ms, spent);
  return std::max(scan_pause_min_ns, scan_cost_factor * spent);
}

}  // namespace

Orphans::Orphans(ring::Ring& ring, ChildTable& children) noexcept
    : ring_(ring),
      children_(children),
      child_poll_(this, [](void* self, ring::Completion) { static_cast<Orphans*>(self)->on_child_signal(); }) {}

bool Orphans::open() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  child_fd_ = os::UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  can_walk_ = proc_is_ours();
  if (!child_fd_) return false;
  arm();
  return true;
}

void Orphans::arm() {
  if (child_poll_.idle()) child_poll_.arm(ring_, child_fd_.get(), POLLIN);
}

// Not armed again before the look: until then more signals say nothing new.
void Orphans::on_child_signal() { due_ns_ = std::max(now_ns(), look_allowed_ns_); }

pid_t Orphans::look() {
  signalfd_siginfo signal;
  while (::read(child_fd_.get(), &signal, sizeof signal) > 0) {
  }
  arm();
  dead_leader_ = 0;
  const std::int64_t began = spent_ns();
  const bool finished = reap_strangers(began);
  look_allowed_ns_ = now_ns() + pause_after(spent_ns() - began, reaped_);
  // A leader's death is told by its pidfd within this turn or the next; seen twice, it wasn't.
  const pid_t lost = dead_leader_ != 0 && dead_leader_ == suspect_ ? dead_leader_ : 0;
  suspect_ = dead_leader_;
  due_ns_ = finished && suspect_ == 0 ? never : look_allowed_ns_;
  return lost;
}

// False: there are more than the time was enough for.
bool Orphans::reap_strangers(std::int64_t began) {
  reaped_ = 0;
  for (;;) {
    const pid_t dead = any_dead();
    if (dead <= 0) return true;
    if (children_.is_leader(dead)) {
      dead_leader_ = dead;
      reap_by_list();
      return true;
    }
    (void)reap(dead);
    ++reaped_;
    if (spent_ns() - began > scan_budget_ns) return false;
  }
}

// A dead leader hides the dead behind it from waitid(P_ALL).
void Orphans::reap_by_list() {
  if (!can_walk_) return;
  (void)each_orphan(this, [](void* self, pid_t child) {
    if (!static_cast<Orphans*>(self)->children_.is_leader(child)) (void)reap(child);
  });
}

bool Orphans::count_group(pid_t group, std::uint32_t& alive) {
  if (!can_walk_ || now_ns() < count_allowed_ns_) return false;
  const std::int64_t began = spent_ns();
  const bool listed = walk_.descend_from_orphans(this, [](void* self, pid_t child) {
    return static_cast<Orphans*>(self)->children_.is_leader(child);
  });
  alive = 0;
  for (const Walk::Found& found : walk_.found()) {
    if (::getpgid(found.pid) != group) continue;
    if (!os::is_dead(os::status_of(found.pid).state)) ++alive;
  }
  // A small look is cheap and may be repeated at once; its cost decides, not the minimum of the other look.
  count_allowed_ns_ = now_ns() + scan_cost_factor * (spent_ns() - began);
  return listed && walk_.complete();
}

}  // namespace netrunner::shepherd
