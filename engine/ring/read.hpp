#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_READ of a stream (no offset). At most one in flight per descriptor: two on one pipe complete last in,
/// first out on Linux 6.18. See read(2).
class Read : public Operation {
 public:
  using Operation::Operation;
  void arm(Ring& ring, int fd, std::span<std::byte> into) {
    io_uring_sqe* sqe = ring.prepare(*this);
    ::io_uring_prep_read(sqe, fd, into.data(), static_cast<unsigned int>(into.size()), ~std::uint64_t{0});
  }
  /// Into a buffer of the group, chosen when data is there: an idle stream holds none. `bytes_max` is honoured exactly.
  void arm(Ring& ring, int fd, std::uint16_t buffer_group, std::uint32_t bytes_max) {
    io_uring_sqe* sqe = ring.prepare(*this);
    ::io_uring_prep_read(sqe, fd, nullptr, bytes_max, ~std::uint64_t{0});
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = buffer_group;
  }
};

}  // namespace netrunner::ring
