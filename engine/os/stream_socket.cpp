#include "engine/os/stream_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "engine/os/descriptor.hpp"

namespace netrunner::os {
namespace {

/// The kernel doubles what it is told, for its own books, and getsockopt gives the double. Refused, it stays as it is.
void ask_for_room(int writer, std::uint32_t size_bytes) noexcept {
  int present = 0;
  socklen_t length = sizeof present;
  (void)::getsockopt(writer, SOL_SOCKET, SO_SNDBUF, &present, &length);
  const std::uint32_t wanted = std::max(size_bytes, socket_bytes_min);
  if (static_cast<std::uint32_t>(present) >= wanted) return;
  const int half = static_cast<int>(wanted / 2);
  (void)::setsockopt(writer, SOL_SOCKET, SO_SNDBUF, &half, sizeof half);
}

}  // namespace

Result<StreamSocket> make_stream_socket(OurEnd ours, std::uint32_t size_bytes) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(system_error("socketpair", Stage::pipes));
  }
  UniqueFd first(ends[0]), second(ends[1]);
  NR_TRY(our_end, moved_above_stdio(std::move(first)));
  NR_TRY(their_end, moved_above_stdio(std::move(second)));
  const bool reads = ours == OurEnd::read;
  if (::fcntl(our_end.get(), F_SETFL, O_RDWR | O_NONBLOCK) != 0) {
    return std::unexpected(system_error("fcntl O_NONBLOCK", Stage::pipes));
  }
  if (reads && ::shutdown(our_end.get(), SHUT_WR) != 0) {
    return std::unexpected(system_error("shutdown", Stage::pipes));
  }
  ask_for_room(reads ? their_end.get() : our_end.get(), size_bytes);
  return StreamSocket{std::move(our_end), std::move(their_end)};
}

std::uint64_t socket_key_of(std::uint64_t inode) noexcept {
  constexpr std::uint64_t is_socket = std::uint64_t{1} << 62;  // Inodes of pipefs and sockfs don't come so far.
  return is_socket | inode;
}

std::uint64_t socket_key(int fd) noexcept {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? socket_key_of(status.st_ino) : 0;
}

void refuse_writers(int ours) noexcept {
  char dropped[8 * 1024];
  (void)::shutdown(ours, SHUT_RD);
  while (::recv(ours, dropped, sizeof dropped, MSG_DONTWAIT) > 0) {
  }
}

}  // namespace netrunner::os
