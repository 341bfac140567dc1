#include "engine/os/pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/os/descriptor.hpp"

namespace netrunner::os {

Result<Pipe> make_pipe(OurEnd ours, std::uint32_t size_bytes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::unexpected(system_error("pipe2", Stage::pipes));
  Pipe pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
  if (ends[0] <= 2 || ends[1] <= 2) {  // The host runs with 0, 1 or 2 closed.
    NR_TRY(read_end, moved_above_stdio(std::move(pipe.read_end)));
    pipe.read_end = std::move(read_end);
    NR_TRY(write_end, moved_above_stdio(std::move(pipe.write_end)));
    pipe.write_end = std::move(write_end);
  }
  if (size_bytes != 0) (void)::fcntl(pipe.read_end.get(), F_SETPIPE_SZ, static_cast<int>(size_bytes));
  // Its flags are known: none but the mode, which F_SETFL leaves alone.
  const int our_end = ours == OurEnd::read ? pipe.read_end.get() : ours == OurEnd::write ? pipe.write_end.get() : -1;
  if (our_end >= 0 && ::fcntl(our_end, F_SETFL, O_NONBLOCK) != 0) {
    return std::unexpected(system_error("fcntl O_NONBLOCK", Stage::pipes));
  }
  return pipe;
}

std::uint32_t pipe_size(int fd) noexcept {
  const int size = ::fcntl(fd, F_GETPIPE_SZ);
  return size < 0 ? 0 : static_cast<std::uint32_t>(size);
}

std::uint32_t pipe_unread(int fd) noexcept {
  int bytes = 0;
  return ::ioctl(fd, FIONREAD, &bytes) == 0 ? static_cast<std::uint32_t>(bytes) : 0;
}

std::uint64_t pipe_inode(int fd) noexcept {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) ? status.st_ino : 0;
}

bool writers_are_gone(int read_end) noexcept {
  pollfd polled{read_end, POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0 && (polled.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

}  // namespace netrunner::os
