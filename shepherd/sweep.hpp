#pragma once
/// Without a cgroup: which processes are a command's, and how they end.

#include <cstdint>
#include <sys/types.h>

#include "shepherd/child_table.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/process_walk.hpp"

namespace netrunner::shepherd {

/// Orphans fall to us as their subreaper, and are known by group, session and environment mark; what hangs below them
/// is theirs. A look costs time with the number of our children: looks together take a twentieth of the time at most,
/// and one look serves all commands that ended before it. A process that left its session, its group and its mark
/// is nobody's; it dies when we end.
class Sweep {
 public:
  explicit Sweep(ChildTable& children) noexcept : children_(children) {}
  /// Groups are all that is reached unless it is switched on.
  void switch_on() noexcept { on_ = true; }
  [[nodiscard]] bool is_on() const noexcept { return on_; }

  /// A look that began at `since` or later, made now if it may be. False: not yet, see allowed_ns().
  [[nodiscard]] bool look(std::int64_t since);
  [[nodiscard]] std::int64_t allowed_ns() const noexcept { return allowed_ns_; }
  /// The last look found a process that can't be told yet: in the middle of exec it has no environment.
  [[nodiscard]] bool is_unsure() const noexcept { return unsure_; }
  /// Of the last look: live processes of the command.
  [[nodiscard]] std::uint32_t count(const Child& child) const;
  /// Freezes and kills them, looks again, until none is left or the budget of one call is used up. A process that
  /// forks and exits for ever may hide from a look: but then somebody has died since the look before. True: several
  /// looks in a row found none, and no such death.
  [[nodiscard]] bool kill(const Child& child);
  /// What hangs below the leader, while it lives: its own children too.
  void signal_below(const Child& child, int signal);

 private:
  struct Orphan {
    pid_t pid, parent;
    std::uint64_t start;
    std::uint32_t slot;  ///< Of the command; `nobodys`.
  };
  struct Look {
    std::array<Orphan, walk_processes_max> orphans;
    std::size_t count = 0;
  };
  static constexpr std::uint32_t nobodys = UINT32_MAX;
  void look_now(std::int64_t now);
  [[nodiscard]] std::uint32_t owner_of(pid_t pid, std::uint64_t start);
  [[nodiscard]] const Look& last() const noexcept { return looks_[last_]; }
  [[nodiscard]] bool reap_strangers();
  [[nodiscard]] Child* by_number(pid_t number);

  ChildTable& children_;
  Walk walk_;
  std::array<Look, 2> looks_;  ///< The last one, and the one before it: who is known keeps its owner.
  std::size_t last_ = 0;
  std::int64_t looked_ns_ = 0;
  std::int64_t allowed_ns_ = 0;
  bool unsure_ = false;
  bool on_ = false;
};

/// Of our commands' environment: our pid and our start, so that no other shepherd ever has it.
[[nodiscard]] std::uint64_t own_mark() noexcept;

/// Signals a process that a walk found, if it is still the one: ours, or a child of the same parent.
void signal_found(const Walk::Found& found, int signal) noexcept;

}  // namespace netrunner::shepherd
