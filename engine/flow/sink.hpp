#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "engine/flow/carrier.hpp"
#include "engine/os/pty.hpp"
#include "engine/os/stream_socket.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::flow {

/// What an inlet writes to. The end of input of a pipe or socket is its closing; that of a terminal is a character that
/// is typed.
/// Owner: one Inlet. Thread: its shard.
class Sink {
 public:
  Sink(os::UniqueFd fd, Carrier carrier) noexcept : fd_(std::move(fd)), carrier_(carrier) {}

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }
  void close() noexcept {
    if (carrier_ == Carrier::socket && fd_) os::refuse_writers(fd());
    fd_.reset();
  }

  /// What is to be written before it is closed; `last`: the last byte of the input. Lives as long as this.
  [[nodiscard]] std::span<const std::byte> farewell(std::optional<std::byte> last) noexcept {
    if (carrier_ != Carrier::terminal) return {};
    farewell_ = os::pty_farewell(fd(), last);
    return std::span(farewell_.bytes).first(farewell_.count);
  }

 private:
  os::UniqueFd fd_;
  Carrier carrier_;
  os::PtyFarewell farewell_;
};

}  // namespace netrunner::flow
