#pragma once

#include <cstdint>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_POLL_ADD, once. See poll(2).
class Poll : public Operation {
 public:
  using Operation::Operation;
  void arm(Ring& ring, int fd, std::uint32_t events) { (void)prepare(ring, fd, events); }
  /// Of a file in the ring's own table: the descriptor itself may be closed.
  void arm_file(Ring& ring, std::uint32_t slot, std::uint32_t events) {
    prepare(ring, static_cast<int>(slot), events)->flags |= IOSQE_FIXED_FILE;
  }

 private:
  io_uring_sqe* prepare(Ring& ring, int fd, std::uint32_t events) {
    io_uring_sqe* sqe = ring.prepare(*this);
    ::io_uring_prep_poll_add(sqe, fd, events);
    return sqe;
  }
};

}  // namespace netrunner::ring
