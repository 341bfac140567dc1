#include "engine/daemon/port_probe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace netrunner::daemon {
namespace {

template <class Address>
Descriptor attempt(const Address& address, int family) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return {};
  const int connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected != 0 && errno != EINPROGRESS) return {};
  return socket;
}

/// A connection to a port of the range that our own end is taken from may meet itself (simultaneous open, tcp(7)).
bool met_itself(int socket) {
  sockaddr_storage ours{}, theirs{};
  socklen_t our_bytes = sizeof ours, their_bytes = sizeof theirs;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&ours), &our_bytes) != 0) return true;
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&theirs), &their_bytes) != 0) return true;
  return our_bytes == their_bytes && std::memcmp(&ours, &theirs, our_bytes) == 0;
}

PortProbe::Answer answer_of(int socket) {
  pollfd ready{.fd = socket, .events = POLLOUT, .revents = 0};
  if (::poll(&ready, 1, 0) <= 0) return PortProbe::Answer::pending;
  int failed = 0;
  socklen_t bytes = sizeof failed;
  const bool asked = ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &failed, &bytes) == 0;
  return asked && failed == 0 && !met_itself(socket) ? PortProbe::Answer::open : PortProbe::Answer::closed;
}

}  // namespace

void PortProbe::begin(std::uint16_t port) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  four.sin_port = htons(port);
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  six.sin6_addr = in6addr_loopback;
  attempts_[0] = attempt(four, AF_INET);
  attempts_[1] = attempt(six, AF_INET6);
}

PortProbe::Answer PortProbe::look() {
  for (Descriptor& socket : attempts_) {
    if (!socket) continue;
    const Answer answer = answer_of(socket.get());
    if (answer == Answer::pending) continue;
    socket = {};
    if (answer == Answer::closed) continue;
    forget();
    return Answer::open;
  }
  return under_way() ? Answer::pending : Answer::closed;
}

void PortProbe::watch(std::vector<pollfd>& fds) const {
  for (const Descriptor& socket : attempts_) {
    if (socket) fds.push_back({.fd = socket.get(), .events = POLLOUT, .revents = 0});
  }
}

}  // namespace netrunner::daemon
