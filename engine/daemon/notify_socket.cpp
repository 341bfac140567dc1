#include "engine/daemon/notify_socket.hpp"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "engine/daemon/limits.hpp"

namespace netrunner::daemon {
namespace {

std::string random_name() {
  std::array<unsigned char, 16> bytes{};
  (void)!::getrandom(bytes.data(), bytes.size(), 0);
  std::string name = "netrunner/notify/";
  constexpr std::string_view digits = "0123456789abcdef";
  for (const unsigned char byte : bytes) {
    name += digits[byte >> 4];
    name += digits[byte & 15];
  }
  return name;
}

/// What came beside the bytes.
void take_control(msghdr& header, NotifySocket::Message& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET) continue;
    const std::size_t bytes = part->cmsg_len - CMSG_LEN(0);
    if (part->cmsg_type == SCM_CREDENTIALS && bytes >= sizeof(ucred)) {
      ucred credentials{};
      std::memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
      message.sender = {.pid = credentials.pid, .uid = credentials.uid};
    } else if (part->cmsg_type == SCM_RIGHTS) {
      for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
        message.descriptors.emplace_back(fd);
      }
    }
  }
}

}  // namespace

Result<NotifySocket> NotifySocket::open() {
  Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return std::unexpected(system_error("a socket for notifications"));
  const std::string name = random_name();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  static_assert(sizeof address.sun_path > 64);
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int on = 1;
  // Before anybody can know the name: no message comes without credentials.
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), bytes) != 0) {
    return std::unexpected(system_error("the socket @" + name));
  }
  return NotifySocket(std::move(socket), "@" + name);
}

std::optional<NotifySocket::Message> NotifySocket::receive() {
  std::array<char, notification_bytes_max> text{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * notification_descriptors_max)>
      control{};
  iovec span{.iov_base = text.data(), .iov_len = text.size()};
  msghdr header{};
  header.msg_iov = &span;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  const ssize_t bytes = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (bytes < 0) return std::nullopt;
  Message message;
  take_control(header, message);
  if ((header.msg_flags & MSG_TRUNC) == 0) message.text.assign(text.data(), static_cast<std::size_t>(bytes));
  return message;
}

}  // namespace netrunner::daemon
