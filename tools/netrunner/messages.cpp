#include "tools/netrunner/messages.hpp"

#include <cerrno>
#include <poll.h>
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

void print(std::string_view text) noexcept { (void)write_all(STDOUT_FILENO, text); }
void print_error(std::string_view text) noexcept { (void)write_all(STDERR_FILENO, text); }

}  // namespace netrunner::tool
