#pragma once

#include <cstdint>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_POLL_ADD, once. See poll(2).
class Poll : public Operation {
 public:
  using Operation::Operation;
  /// Once submitted it holds the file by itself: the descriptor may be closed.
  void arm(Ring& ring, int fd, std::uint32_t events) { ::io_uring_prep_poll_add(ring.prepare(*this), fd, events); }
};

}  // namespace netrunner::ring
