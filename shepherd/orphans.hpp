#pragma once
/// Descendants that fell to us when their parent died. No zombie of them stays.

#include <cstdint>

#include "engine/os/unique_fd.hpp"
#include "engine/ring/poll.hpp"
#include "engine/ring/ring.hpp"
#include "shepherd/child_table.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/process_walk.hpp"

namespace netrunner::shepherd {

/// SIGCHLD comes for the leaders' deaths too and counts nothing, so it only says "look, soon": one look at all dead
/// children serves all signals of a while. A look costs time with the number of children, hence the pause between two:
/// twenty times as long as it took, and 50 ms at least.
class Orphans {
 public:
  Orphans(ring::Ring& ring, ChildTable& children) noexcept;
  [[nodiscard]] bool open();
  void close() { ring_.cancel(child_poll_); }

  [[nodiscard]] std::int64_t due_ns() const noexcept { return due_ns_; }
  /// Reaps. Returns a leader whose death should have been told by its pidfd and was not, or 0.
  [[nodiscard]] pid_t look();

  /// Processes alive in a group whose leader is reaped. False: too soon after the last count, or /proc can't tell.
  [[nodiscard]] bool count_group(pid_t group, std::uint32_t& alive);

 private:
  void arm();
  void on_child_signal();
  [[nodiscard]] bool reap_strangers(std::int64_t began);
  void reap_by_list();

  ring::Ring& ring_;
  ChildTable& children_;
  ring::Poll child_poll_;
  os::UniqueFd child_fd_;
  std::int64_t due_ns_ = never;
  std::int64_t look_allowed_ns_ = 0;
  std::int64_t count_allowed_ns_ = 0;
  pid_t dead_leader_ = 0;  ///< Seen dead and unreaped in this look...
  pid_t suspect_ = 0;      ///< ...and in the one before.
  std::uint32_t reaped_ = 0;  ///< In this look.
  bool can_walk_ = false;
  Walk walk_;
};

}  // namespace netrunner::shepherd
