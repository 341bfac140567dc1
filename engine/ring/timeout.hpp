#pragma once

#include <cstdint>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_TIMEOUT at a point in time: completes with -ETIME then, or when it is cancelled. See io_uring_enter(2).
class Timeout : public Operation {
 public:
  using Operation::Operation;
  /// `at_ns`: CLOCK_MONOTONIC.
  void arm(Ring& ring, std::int64_t at_ns) {
    at_ = {at_ns / 1'000'000'000, at_ns % 1'000'000'000};
    ::io_uring_prep_timeout(ring.prepare(*this), &at_, 0, IORING_TIMEOUT_ABS);
  }

 private:
  __kernel_timespec at_{};  ///< The kernel reads it when the operation is submitted.
};

}  // namespace netrunner::ring
