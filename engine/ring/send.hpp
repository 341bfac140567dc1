#pragma once

#include <sys/socket.h>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_SENDMSG. See sendmsg(2).
class Send : public Operation {
 public:
  using Operation::Operation;
  /// `message` and all that it points to must stay until the completion.
  void arm(Ring& ring, int fd, const msghdr& message) {
    io_uring_sqe* sqe = ring.prepare(*this);
    ::io_uring_prep_sendmsg(sqe, fd, &message, MSG_NOSIGNAL);
  }
};

}  // namespace netrunner::ring
