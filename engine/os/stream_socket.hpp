#pragma once

#include <cstdint>

#include <netrunner/error.hpp>

#include "engine/os/pipe.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

/// One direction over a pair of AF_UNIX stream sockets, both above 2 and close-on-exec; ours is O_NONBLOCK. A reading
/// end of ours is shut for writing: a command that reads what it should write to meets end of file, and nothing is ever
/// unread at its end, so that what it wrote can always be read, whenever it dies: only unread bytes make a close
/// ECONNRESET at the other end. A writing end is not shut for reading: io_uring takes every poll of such a socket for
/// ready (EPOLLRDHUP), so that a write for which there is no room would be tried again and again. See unix(7).
struct StreamSocket {
  UniqueFd ours, theirs;
};

/// So much a socket may hold at least; a third of it costs half of the throughput.
inline constexpr std::uint32_t socket_bytes_min = 208 * 1024;

/// `ours`: read or write. `size_bytes`: SO_SNDBUF of whoever writes, where that is more than socket_bytes_min.
[[nodiscard]] Result<StreamSocket> make_stream_socket(OurEnd ours, std::uint32_t size_bytes = 0);
/// Which socket it is, as PipeHolders knows it: by the number in "socket:[4711]" of /proc/<pid>/fd. 0: not to be told.
[[nodiscard]] std::uint64_t socket_key(int fd) noexcept;
[[nodiscard]] std::uint64_t socket_key_of(std::uint64_t inode) noexcept;
/// To be called before our end is closed. It takes no more, and what is unread is dropped: who writes to it meets
/// EPIPE, as with a pipe, where close(2) alone would give ECONNRESET to one that waits, or reads on at the other end.
void refuse_writers(int ours) noexcept;

}  // namespace netrunner::os
