#include "engine/os/unix_socket.hpp"

#include <sys/socket.h>

#include "engine/os/descriptor.hpp"

namespace netrunner::os {

Result<SocketPair> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return std::unexpected(system_error("socketpair", Stage::treaty));
  }
  UniqueFd first(ends[0]), second(ends[1]);
  NR_TRY(ours, moved_above_stdio(std::move(first)));
  NR_TRY(theirs, moved_above_stdio(std::move(second)));
  return SocketPair{std::move(ours), std::move(theirs)};
}

}  // namespace netrunner::os
