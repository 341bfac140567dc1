#pragma once

#include <cstdint>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

/// A pipe whose ends lie above 2, both close-on-exec. See pipe(7).
struct Pipe {
  UniqueFd read_end, write_end;
};

/// Which end is ours: it alone becomes O_NONBLOCK (another open file description than the child's, which stays
/// blocking). A blocking end of ours would tie up an io-wq thread on Linux 6.1.
enum class OurEnd : std::uint8_t { none, read, write };

/// `size_bytes` 0: the kernel's default. Past pipe-user-pages-soft the kernel refuses; the pipe keeps its size then.
[[nodiscard]] Result<Pipe> make_pipe(OurEnd ours, std::uint32_t size_bytes = 0);
/// F_GETPIPE_SZ: what it really is.
[[nodiscard]] std::uint32_t pipe_size(int fd) noexcept;
/// FIONREAD: bytes that wait in it.
[[nodiscard]] std::uint32_t pipe_unread(int fd) noexcept;
/// Which pipe it is: the number in "pipe:[4711]" of /proc/<pid>/fd. 0: it is no pipe.
[[nodiscard]] std::uint64_t pipe_inode(int fd) noexcept;
/// POLLHUP on a read end: no write end is open any more.
[[nodiscard]] bool writers_are_gone(int read_end) noexcept;

}  // namespace netrunner::os
