#pragma once
/// Without a cgroup: which processes are a command's, and how they end.

#include <array>
#include <cstdint>
#include <sys/types.h>

#include "shepherd/child_table.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/process_walk.hpp"

namespace netrunner::shepherd {

/// Orphans fall to us as their subreaper and stay our children until we reap them. They are known by their marks, group
/// and session; what hangs below them is theirs. A command without a leader lives as long as one of our children is
/// its own, dead or alive: whoever forks and exits leaves a child that becomes ours before it is a zombie itself, and
/// comes behind it in our list. So two looks that find none prove that none is left.
/// Looks cost time with the number of the orphans: one serves all commands, and they take a part of the time at most.
/// A process that left its session, its group and both marks is nobody's; it dies when we end.
class Sweep {
 public:
  explicit Sweep(ChildTable& children) noexcept : children_(children) {}
  /// Groups are all that is reached unless it is switched on.
  void switch_on() noexcept { on_ = true; }
  [[nodiscard]] bool is_on() const noexcept { return on_; }

  /// A look that began at `since` or later, made now if it may be. False: not yet, see allowed_ns().
  [[nodiscard]] bool look(std::int64_t since);
  [[nodiscard]] std::int64_t allowed_ns() const noexcept { return allowed_ns_; }
  /// The last look found a process that can't be told: dead or in the middle of exec it has no environment, and it
  /// has no mark of the other kind.
  [[nodiscard]] bool is_unsure() const noexcept { return unsure_look_ == looks_; }
  /// The last look met one of the command's, though perhaps there were too many to be counted.
  [[nodiscard]] bool saw(const Child& child) const noexcept { return looks_ != 0 && child.seen_look == looks_; }
  /// Live processes of the command: orphans of the last look, and what hangs below them now.
  [[nodiscard]] std::uint32_t count(const Child& child);

  /// From now on its processes are killed wherever a look meets them.
  void hunt(Child& child) noexcept;
  /// Looks until two in a row find nothing hunted, for a few milliseconds at most, if it may be now.
  void drive(std::int64_t now);
  [[nodiscard]] std::int64_t drive_allowed_ns() const noexcept { return drive_allowed_ns_; }
  /// Two looks since it is hunted found none of it. `certain`: nor anything that can't be told.
  [[nodiscard]] bool is_extinct(const Child& child, bool certain) const noexcept;

  /// A signal to what hangs below the leader, while it lives, and to what fell to us and below that.
  void signal_all(const Child& child, int signal);

 private:
  struct Orphan {
    pid_t pid;
    std::uint32_t slot;  ///< Of the command; `nobodys`.
    bool dead;
  };
  static constexpr std::uint32_t nobodys = UINT32_MAX;
  void look_now();
  void meet(pid_t pid);
  void kill_met(const Child& child, pid_t pid, bool dead);
  void reap_the_dead();
  void signal_below(pid_t root, int signal);
  [[nodiscard]] std::uint32_t owner_of(pid_t pid, bool dead);

  ChildTable& children_;
  Walk walk_;
  std::array<Orphan, walk_processes_max> orphans_;  ///< Of the last look, as many as fit.
  std::size_t count_ = 0;
  std::array<pid_t, 64> killed_groups_;  ///< In this look, the last ones.
  std::size_t killed_groups_count_ = 0;
  std::uint64_t looks_ = 0;
  std::uint64_t unsure_look_ = 0, busy_look_ = 0;  ///< The last ones that were unsure, or found somebody hunted.
  std::uint64_t blind_look_ = 0;                   ///< The last one that could not list the orphans for want of room.
  std::int64_t looked_ns_ = 0;
  std::int64_t allowed_ns_ = 0;
  std::int64_t drive_allowed_ns_ = 0;
  std::uint32_t reaped_ = 0;  ///< After the last look.
  bool on_ = false;
  bool hunts_ = false;  ///< Some command.
};

/// Of our commands: our pid and our start, so that no other shepherd ever has it.
[[nodiscard]] std::uint64_t own_mark() noexcept;

/// Signals a process that a walk found, if it is still the one: ours, or a child of the same parent.
void signal_found(const Walk::Found& found, int signal) noexcept;

}  // namespace netrunner::shepherd
