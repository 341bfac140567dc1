#pragma once

#include <sys/socket.h>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_RECVMSG; descriptors come close-on-exec. See recvmsg(2).
class Receive : public Operation {
 public:
  using Operation::Operation;
  /// `message` and all that it points to must stay until the completion.
  void arm(Ring& ring, int fd, msghdr& message) {
    io_uring_sqe* sqe = ring.prepare(*this);
    ::io_uring_prep_recvmsg(sqe, fd, &message, MSG_CMSG_CLOEXEC);
  }
};

}  // namespace netrunner::ring
