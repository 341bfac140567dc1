#pragma once

#include <cstddef>
#include <span>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_WRITE to a file whose write may block for long (a limit of a cgroup that reclaims memory first): a worker
/// of the kernel's does it from the start, the ring's thread never. See IOSQE_ASYNC in io_uring_enter(2).
class WriteApart : public Operation {
 public:
  using Operation::Operation;
  /// `bytes` must stay until the completion.
  void arm(Ring& ring, int fd, std::span<const std::byte> bytes) {
    io_uring_sqe* sqe = ring.prepare(*this);
    ::io_uring_prep_write(sqe, fd, bytes.data(), static_cast<unsigned int>(bytes.size()), 0);
    sqe->flags |= IOSQE_ASYNC;
  }
};

}  // namespace netrunner::ring
