#pragma once

#include <liburing.h>

#include <cstdint>
#include <memory>

#include <netrunner/error.hpp>

#include "engine/ring/operation.hpp"

namespace netrunner::ring {

struct RingOptions {
  std::uint32_t submission_entries = 1024;
  std::uint32_t completion_entries = 8192;
};

/// One io_uring, set up for one thread: SINGLE_ISSUER | DEFER_TASKRUN | COOP_TASKRUN (Linux 6.1). The kernel runs
/// completions only when the thread enters it, so nothing reacts inside a submit.
/// Owner and thread: one shard, or the shepherd; made by the thread that turns it.
class Ring {
 public:
  /// Completions run per turn; the rest waits for the next one.
  static constexpr std::uint32_t completions_per_turn_max = 512;

  /// Errors: io_uring_unavailable, with advice that names kernel, sysctl, seccomp or memlock.
  [[nodiscard]] static Result<std::unique_ptr<Ring>> open(RingOptions options = {});
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  /// Submits what is queued, waits for a completion until `deadline_ns` (CLOCK_MONOTONIC; INT64_MAX: for ever; 0: not
  /// at all). Runs none.
  void wait(std::int64_t deadline_ns);
  /// Runs the completions that there are, up to the bound. Returns how many ran.
  std::uint32_t run_completions();
  /// Both.
  std::uint32_t turn(std::int64_t deadline_ns) {
    wait(deadline_ns);
    return run_completions();
  }
  void submit();
  /// Completions (or queued submissions) that wait for the next turn.
  [[nodiscard]] bool has_work() const noexcept;

  /// Asks the kernel to end it; its completion still comes, and `result > 0` is data even then.
  void cancel(Operation& operation);

  /// An eventfd that is written when a completion comes: a hint for a foreign loop, not a count.
  [[nodiscard]] Result<void> announce_on(int eventfd);

  [[nodiscard]] std::uint64_t overflows() const noexcept;
  [[nodiscard]] std::uint64_t completions() const noexcept { return completions_; }
  [[nodiscard]] std::uint64_t in_flight() const noexcept { return in_flight_; }

  /// For the files of this room, one per kernel operation: a clean entry whose completion goes to `operation`.
  [[nodiscard]] io_uring_sqe* prepare(Operation& operation);
  [[nodiscard]] io_uring* raw() noexcept { return &ring_; }

 private:
  Ring() noexcept = default;
  [[nodiscard]] bool move_above_stdio() noexcept;
  [[nodiscard]] io_uring_sqe* entry();
  void finish(std::uint64_t user_data, Completion completion);

  io_uring ring_{};
  bool opened_ = false;
  std::uint64_t completions_ = 0;
  std::uint64_t in_flight_ = 0;
};

}  // namespace netrunner::ring
