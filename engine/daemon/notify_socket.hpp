#pragma once
/// The socket behind $NOTIFY_SOCKET of one run, see sd_notify(3).

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netrunner/error.hpp>

#include "engine/daemon/descriptor.hpp"

namespace netrunner::daemon {

/// Who sent a message, by the kernel's word (SCM_CREDENTIALS, unix(7)).
struct Sender {
  pid_t pid = 0;
  uid_t uid = 0;
};

/// A datagram socket with an abstract address: no file that a user of the command couldn't reach, or that stays.
/// Anybody may send to it, so each message is judged by its sender. Owner: an instance; thread: the supervisor's.
class NotifySocket {
 public:
  [[nodiscard]] static Result<NotifySocket> open();

  /// "@name": what $NOTIFY_SOCKET is to be.
  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

  struct Message {
    Sender sender;
    std::string text;
    /// Descriptors that came with it. A sender may wait until they are closed (sd_notify_barrier(3)): keep the message
    /// until it is dealt with.
    std::vector<Descriptor> descriptors;
  };
  /// The next message; none: there is none now. Never waits. Too long a message comes empty.
  [[nodiscard]] std::optional<Message> receive();

 private:
  NotifySocket(Descriptor socket, std::string address) noexcept
      : socket_(std::move(socket)), address_(std::move(address)) {}
  Descriptor socket_;
  std::string address_;
};

}  // namespace netrunner::daemon
