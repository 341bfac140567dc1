#pragma once

#include <cerrno>
#include <cstdint>
#include <utility>

#include "engine/flow/carrier.hpp"
#include "engine/os/pipe.hpp"
#include "engine/os/pty.hpp"
#include "engine/os/stream_socket.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::flow {

/// What an outlet reads from. A terminal differs from a pipe in two things: how its end is told, and how much can be
/// known of what waits in it; a socket in how it is closed early. Everything else about them is the outlet's, once.
/// Owner: one Outlet. Thread: its shard.
class Source {
 public:
  /// `writers_key`: of a socket's other end or a terminal's slave; of a pipe both ends have the same.
  Source(os::UniqueFd fd, Carrier carrier, std::uint64_t writers_key) noexcept
      : fd_(std::move(fd)), writers_key_(writers_key), carrier_(carrier) {}

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// What os::PipeHolders knows the command's end by; 0: it can't be told.
  [[nodiscard]] std::uint64_t writers_key() const noexcept {
    return carrier_ == Carrier::pipe ? os::pipe_inode(fd()) : writers_key_;
  }
  void close() noexcept {
    if (carrier_ == Carrier::socket && fd_) os::refuse_writers(fd());
    fd_.reset();
  }

  /// Whether a read that brought nothing is the last one: end of file, or an error that another read would meet too.
  /// A terminal gives EIO while no slave is open, also where bytes still are on their way to us.
  [[nodiscard]] bool ended_by(int result) const noexcept {
    if (carrier_ == Carrier::terminal && result == -EIO) return !os::pty_has_output(fd());
    return result != -ENOBUFS && result != -ECANCELED && result != -EINTR && result != -EAGAIN;
  }
  /// Bytes that wait; 0: none. Of a terminal no more than that, elsewhere exact.
  [[nodiscard]] std::uint32_t waiting_bytes_max() const noexcept {
    if (carrier_ != Carrier::terminal) return os::pipe_unread(fd());
    return os::pty_has_output(fd()) ? os::pty_held_bytes_max : 0;
  }
  /// Nobody else can write any more, so that its end surely comes. The owner of a terminal keeps a slave open as long
  /// as somebody may open another.
  [[nodiscard]] bool writers_are_gone() const noexcept { return os::writers_are_gone(fd()); }

 private:
  os::UniqueFd fd_;
  std::uint64_t writers_key_;
  Carrier carrier_;
};

}  // namespace netrunner::flow
