#include "engine/os/descriptor.hpp"

#include <fcntl.h>

#include <string>

namespace netrunner::os {

Result<UniqueFd> duplicate_above_stdio(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return std::unexpected(system_error("descriptor " + std::to_string(fd)));
  return UniqueFd(copy);
}

Result<UniqueFd> moved_above_stdio(UniqueFd fd) {
  if (fd.get() > 2) return fd;
  return duplicate_above_stdio(fd.get());
}

Result<void> set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return std::unexpected(system_error("fcntl O_NONBLOCK"));
  }
  return {};
}

}  // namespace netrunner::os
