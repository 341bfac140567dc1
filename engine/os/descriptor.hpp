#pragma once
/// Flags and copies of descriptors, whatever they refer to.

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

/// A copy above 2 with close-on-exec: it can never sit in the place of stdin, stdout or stderr.
[[nodiscard]] Result<UniqueFd> duplicate_above_stdio(int fd);
/// The same for a descriptor that we own: moved only where it lies in 0, 1 or 2.
[[nodiscard]] Result<UniqueFd> moved_above_stdio(UniqueFd fd);
/// It is an io_uring: the kernel refuses to send those over a socket.
[[nodiscard]] bool is_ring(int fd) noexcept;

}  // namespace netrunner::os
