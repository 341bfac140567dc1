#include "tools/netrunner/input_pump.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <poll.h>
#include <span>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include <netrunner/blocking.hpp>

#include "tools/netrunner/own_terminal.hpp"

namespace netrunner::tool {

InputPump::InputPump(Process& process, std::function<bool()> in_background)
    : in_background_(std::move(in_background)),
      stop_fd_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this, &process] { move_all(process); }) {}

void InputPump::stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  (void)!::write(stop_fd_, &one, sizeof one);
  thread_.join();
  (void)::close(stop_fd_);
}

/// False: it was stopped.
bool InputPump::wait_for_input() const {
  for (;;) {
    std::array<pollfd, 2> ready = {pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = stop_fd_, .events = POLLIN, .revents = 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return false;
    if (ready[1].revents != 0) return false;
    if (ready[0].revents != 0) return true;
  }
}

/// After EIO: where we are in the background it means just that; in the foreground it means a hang-up, unless we came
/// there only now.
bool InputPump::may_be_read_again() {
  if (OwnTerminal::is_ours()) return !std::exchange(refused_in_foreground_, true);
  refused_in_foreground_ = false;
  if (!in_background_()) return false;
  constexpr int pause_ms = 50;  // Until the stop has come; it must not be ordered a thousand times.
  pollfd stopped{.fd = stop_fd_, .events = POLLIN, .revents = 0};
  return ::poll(&stopped, 1, pause_ms) <= 0;
}

void InputPump::move_all(Process& process) {
  std::array<std::byte, 4096> buffer{};
  while (wait_for_input()) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0 && errno == EIO && may_be_read_again()) continue;
    refused_in_foreground_ = false;
    if (got <= 0) {
      [[maybe_unused]] const Result<void> closed = blocking::get(process.close_input());
      return;
    }
    const auto bytes = std::span(buffer).first(static_cast<std::size_t>(got));
    if (!blocking::get(process.write(bytes))) return;  // It has ended, or hung up.
  }
}

}  // namespace netrunner::tool
