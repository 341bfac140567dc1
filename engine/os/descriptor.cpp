#include "engine/os/descriptor.hpp"

#include <fcntl.h>

#include <cstdio>
#include <string>
#include <string_view>

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

bool is_ring(int fd) noexcept {
  char link[64], target[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t bytes = ::readlink(link, target, sizeof target);
  return bytes > 0 && std::string_view(target, static_cast<std::size_t>(bytes)) == "anon_inode:[io_uring]";
}

}  // namespace netrunner::os
