#include "engine/ring/ring.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace netrunner::ring {
namespace {

/// kernel.io_uring_disabled: 0, 1 or 2; -1 where the kernel has no such setting.
int disabled_by_sysctl() {
  std::FILE* file = std::fopen("/proc/sys/kernel/io_uring_disabled", "re");
  if (file == nullptr) return -1;
  int value = -1;
  if (std::fscanf(file, "%d", &value) != 1) value = -1;
  std::fclose(file);
  return value;
}

Error unavailable(int failure, const char* call) {
  Error error{ErrorCode::io_uring_unavailable, Stage::none, failure, call, {}};
  if (failure == EPERM && disabled_by_sysctl() > 0) {
    error.advice = "the sysctl kernel.io_uring_disabled forbids it: set it to 0";
  } else if (failure == EPERM || failure == EACCES) {
    error.advice = "a seccomp filter forbids it, as containers' default profiles do: allow io_uring_setup, "
                   "io_uring_enter and io_uring_register";
  } else if (failure == ENOSYS) {
    error.advice = "the kernel was built without io_uring, or a seccomp filter hides it; Linux 6.1 is needed";
  } else if (failure == ENOMEM) {
    error.advice = "RLIMIT_MEMLOCK is used up by this user's rings: raise it (ulimit -l) or use fewer shards";
  } else if (failure == EINVAL) {
    error.advice = "the kernel is older than Linux 6.1";
  } else if (failure == EMFILE || failure == ENFILE) {
    error.advice = "no descriptor is left: raise RLIMIT_NOFILE (ulimit -n)";
  }
  return error;
}

__kernel_timespec until(std::int64_t deadline_ns) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t now_ns = std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
  const std::int64_t left = std::max<std::int64_t>(deadline_ns - now_ns, 0);
  return {left / 1'000'000'000, left % 1'000'000'000};
}

}  // namespace

Result<std::unique_ptr<Ring>> Ring::open(RingOptions options) {
  std::unique_ptr<Ring> ring(new Ring);
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  params.cq_entries = options.completion_entries;
  const int set_up = ::io_uring_queue_init_params(options.submission_entries, &ring->ring_, &params);
  if (set_up < 0) return std::unexpected(unavailable(-set_up, "io_uring_setup"));
  ring->opened_ = true;
  if ((params.features & IORING_FEAT_NODROP) == 0 || (params.features & IORING_FEAT_EXT_ARG) == 0) {
    return std::unexpected(unavailable(EINVAL, "io_uring_setup"));
  }
  if (!ring->move_above_stdio()) return std::unexpected(unavailable(errno, "fcntl F_DUPFD of an io_uring"));
  (void)::io_uring_register_ring_fd(&ring->ring_);  // Worth 12 % of a lone operation; not needed.
  (void)::io_uring_ring_dontfork(&ring->ring_);     // A forked child faults instead of moving our indices.
  // A filter installed after the set-up shows only when the ring is entered.
  const int entered = ::io_uring_submit(&ring->ring_);
  if (entered < 0) return std::unexpected(unavailable(-entered, "io_uring_enter"));
  return ring;
}

/// Where the host runs with 0, 1 or 2 closed the ring would sit in the place of a command's stdio.
bool Ring::move_above_stdio() noexcept {
  if (ring_.ring_fd > 2) return true;
  const int moved = ::fcntl(ring_.ring_fd, F_DUPFD_CLOEXEC, 3);
  if (moved < 0) return false;
  ::close(ring_.ring_fd);
  ring_.ring_fd = ring_.enter_ring_fd = moved;
  return true;
}

Ring::~Ring() {
  if (opened_) ::io_uring_queue_exit(&ring_);
}

io_uring_sqe* Ring::entry() {
  io_uring_sqe* sqe = ::io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    submit();
    sqe = ::io_uring_get_sqe(&ring_);
  }
  return sqe;
}

io_uring_sqe* Ring::prepare(Operation& operation) {
  NR_ASSERT(operation.state_ == Operation::State::idle);
  io_uring_sqe* sqe = entry();
  std::memset(sqe, 0, sizeof *sqe);
  sqe->user_data = reinterpret_cast<std::uint64_t>(&operation);
  operation.state_ = Operation::State::in_flight;
  ++in_flight_;
  return sqe;
}

void Ring::cancel(Operation& operation) {
  if (operation.state_ != Operation::State::in_flight) return;
  operation.state_ = Operation::State::cancelling;
  io_uring_sqe* sqe = entry();
  std::memset(sqe, 0, sizeof *sqe);
  sqe->opcode = IORING_OP_ASYNC_CANCEL;
  sqe->fd = -1;
  sqe->addr = reinterpret_cast<std::uint64_t>(&operation);
  sqe->user_data = 0;  // Its own result is a hint only: the operation's completion decides.
}

void Ring::submit() {
  const int submitted = ::io_uring_submit(&ring_);
  NR_ASSERT(submitted >= 0 || submitted == -EINTR || submitted == -EBUSY || submitted == -EAGAIN);
}

bool Ring::has_work() const noexcept {
  return ::io_uring_cq_ready(&ring_) != 0 || ::io_uring_sq_ready(&ring_) != 0;
}

void Ring::wait(std::int64_t deadline_ns) {
  io_uring_cqe* cqe = nullptr;
  if (::io_uring_cq_ready(&ring_) != 0 || deadline_ns <= 0) {
    // DEFER_TASKRUN: completions show only once the kernel was entered for them.
    (void)::io_uring_submit_and_get_events(&ring_);
  } else {
    __kernel_timespec timeout = until(deadline_ns);
    (void)::io_uring_submit_and_wait_timeout(&ring_, &cqe, 1, deadline_ns == INT64_MAX ? nullptr : &timeout, nullptr);
  }
}

std::uint32_t Ring::run_completions() {
  struct Collected {  // Without initializers: a turn with two completions must not write 8 KiB.
    std::uint64_t user_data;
    std::int32_t result;
    std::uint32_t flags;
  };
  std::array<Collected, completions_per_turn_max> collected;
  std::uint32_t count = 0;
  unsigned int head = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    if (count == completions_per_turn_max) break;
    collected[count++] = {cqe->user_data, cqe->res, cqe->flags};
  }
  ::io_uring_cq_advance(&ring_, count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const bool has_buffer = (collected[i].flags & IORING_CQE_F_BUFFER) != 0;
    const std::uint32_t buffer = has_buffer ? collected[i].flags >> IORING_CQE_BUFFER_SHIFT : Completion::no_buffer;
    finish(collected[i].user_data, {collected[i].result, buffer});
  }
  return count;
}

void Ring::finish(std::uint64_t user_data, Completion completion) {
  if (user_data == 0) return;  // A cancel request.
  auto& operation = *std::bit_cast<Operation*>(user_data);
  NR_ASSERT(operation.state_ != Operation::State::idle);
  operation.state_ = Operation::State::idle;
  --in_flight_;
  ++completions_;
  operation.complete_(operation.owner_, completion);
}

std::uint64_t Ring::overflows() const noexcept { return *ring_.cq.koverflow; }

Result<void> Ring::announce_on(int eventfd) {
  const int registered = ::io_uring_register_eventfd(&ring_, eventfd);
  if (registered < 0) return std::unexpected(unavailable(-registered, "io_uring_register eventfd"));
  return {};
}

}  // namespace netrunner::ring
