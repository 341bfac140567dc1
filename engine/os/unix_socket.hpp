#pragma once

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

/// A pair of AF_UNIX SOCK_SEQPACKET sockets: messages keep their borders, and the death of one side is end-of-file
/// on the other. Both above 2, close-on-exec, O_NONBLOCK. See unix(7).
struct SocketPair {
  UniqueFd ours, theirs;
};
[[nodiscard]] Result<SocketPair> make_socket_pair();

}  // namespace netrunner::os
