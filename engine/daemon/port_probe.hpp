#pragma once
/// Whether somebody accepts connections at a port of the loopback address.

#include <array>
#include <cstdint>
#include <vector>

#include <poll.h>

#include "engine/daemon/descriptor.hpp"

namespace netrunner::daemon {

/// One attempt, over IPv4 and IPv6 at once, that never waits. Owner: an instance; thread: the supervisor's.
class PortProbe {
 public:
  enum class Answer : std::uint8_t { pending, open, closed };

  void begin(std::uint16_t port);
  /// `open` and `closed` end the attempt.
  [[nodiscard]] Answer look();
  void forget() noexcept { attempts_ = {}; }
  [[nodiscard]] bool under_way() const noexcept { return attempts_[0] || attempts_[1]; }
  /// What is worth being woken for.
  void watch(std::vector<pollfd>& fds) const;

 private:
  std::array<Descriptor, 2> attempts_;
};

}  // namespace netrunner::daemon
