#include "tools/netrunner/messages.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace netrunner::tool {

int write_all(int fd, std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // Whoever shares our descriptor made it non-blocking; it isn't ours to change.
      pollfd ready{.fd = fd, .events = POLLOUT, .revents = 0};
      (void)::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int write_all(int fd, std::string_view text) noexcept { return write_all(fd, std::as_bytes(std::span(text))); }

bool print(std::string_view who, std::string_view text) {
  const int failed = write_all(STDOUT_FILENO, text);
  if (failed == 0 || failed == EPIPE) return true;
  print_error(std::string(who) + ": standard output: " + std::strerror(failed) + "; it is not complete.\n");
  return false;
}

void print_error(std::string_view text) noexcept { (void)write_all(STDERR_FILENO, text); }

}  // namespace netrunner::tool
