#pragma once

#include <cstddef>
#include <span>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_WRITE to a stream. Short where the pipe is nearly full: the owner goes on with the rest. See write(2).
class Write : public Operation {
 public:
  using Operation::Operation;
  /// `bytes` must stay until the completion.
  void arm(Ring& ring, int fd, std::span<const std::byte> bytes) {
    io_uring_sqe* sqe = ring.prepare(*this);
    ::io_uring_prep_write(sqe, fd, bytes.data(), static_cast<unsigned int>(bytes.size()), ~std::uint64_t{0});
  }
};

}  // namespace netrunner::ring
