#include "shepherd/sweep.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/os/environment_mark.hpp"
#include "engine/os/unique_fd.hpp"
#include "shepherd/reaper.hpp"

namespace netrunner::shepherd {
namespace {

bool is_dead(char state) { return state == 0 || state == 'Z' || state == 'X'; }

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
  const pid_t parent = status_of(found.pid).parent;
  if (parent != found.parent && parent != ::getpid()) return;
  (void)::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

std::uint64_t own_mark() noexcept {
  static const std::uint64_t mark =
      (static_cast<std::uint64_t>(::getpid()) << 40) ^ static_cast<std::uint64_t>(now_ns());
  return mark;
}

bool Sweep::look(std::int64_t since) {
  const std::int64_t now = now_ns();
  if (looked_ns_ > since) return true;
  if (now < allowed_ns_) return false;
  look_now(now);
  return true;
}

void Sweep::look_now(std::int64_t now) {
  const bool listed = walk_.descend(this, [](void* self, pid_t child) {
    return static_cast<Sweep*>(self)->children_.is_leader(child);
  });
  unsure_ = !listed || !walk_.complete();
  Look& look = looks_[1 - last_];
  look.count = 0;
  if (listed) {
    for (const Walk::Found& found : walk_.found()) {
      const ProcessStatus status = status_of(found.pid);
      if (is_dead(status.state)) continue;
      look.orphans[look.count++] = {found.pid, found.parent, status.start, owner_of(found.pid, status.start)};
    }
  }
  last_ = 1 - last_;
  const std::int64_t ended = now_ns();
  looked_ns_ = now;
  allowed_ns_ = ended + scan_cost_factor * (ended - now);
}

Child* Sweep::by_number(pid_t number) {
  if (number <= 1) return nullptr;
  for (std::uint32_t slot = 0; slot < children_.touched(); ++slot) {
    if (children_.in_use(slot) && children_.at(slot).pid == number) return &children_.at(slot);
  }
  return nullptr;
}

// The mark first: it is the only one of the three that no setsid(2) changes. Without an environment a process is in the
// middle of exec, or dies and gives back its memory, which takes long where there is much: it stays whose it was.
std::uint32_t Sweep::owner_of(pid_t pid, std::uint64_t start) {
  os::EnvironmentMark mark;
  const bool ours = os::mark_of(pid, mark) && mark.shepherd == own_mark();
  if (ours && children_.find({mark.slot, mark.generation}) != nullptr) return mark.slot;
  if (const Child* child = by_number(::getpgid(pid))) return child->id.slot;
  if (const Child* child = by_number(::getsid(pid))) return child->id.slot;
  if (os::has_environment(pid)) return nobodys;
  for (const Orphan& known : std::span(last().orphans).first(last().count)) {
    if (known.pid == pid && known.start == start && known.slot != nobodys) return known.slot;
  }
  unsure_ = true;
  return nobodys;
}

std::uint32_t Sweep::count(const Child& child) const {
  std::uint32_t alive = 0;
  for (std::size_t i = 0; i < last().count; ++i) alive += last().orphans[i].slot == child.id.slot ? 1 : 0;
  return alive;
}

// True: there were some.
bool Sweep::reap_strangers() {
  bool some = false;
  for (pid_t dead = any_dead(); dead > 0 && !children_.is_leader(dead); dead = any_dead()) {
    (void)reap(dead);
    some = true;
  }
  return some;
}

bool Sweep::kill(const Child& child) {
  constexpr int quiet_looks_wanted = 3;
  const std::int64_t until = now_ns() + sweep_budget_ns;
  for (int quiet_looks = 0;;) {
    // Stopped, none of them forks away from the second signal.
    for (const int signal : {SIGSTOP, SIGKILL}) {
      for (std::size_t i = 0; i < last().count; ++i) {
        const Orphan& orphan = last().orphans[i];
        if (orphan.slot == child.id.slot) signal_found({orphan.pid, orphan.parent}, signal);
      }
    }
    const bool deaths = reap_strangers();
    const std::int64_t now = now_ns();
    look_now(now);
    quiet_looks = count(child) == 0 && !deaths ? quiet_looks + 1 : 0;
    if (quiet_looks == quiet_looks_wanted) return true;
    if (now >= until) return false;
  }
}

void Sweep::signal_below(const Child& child, int signal) {
  if (!child.leader_unreaped || !walk_.descend_from(child.pid)) return;
  for (const Walk::Found& found : walk_.found()) signal_found(found, signal);
}

}  // namespace netrunner::shepherd
