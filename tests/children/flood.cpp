/// flood PROGRESS [BLOCK=4096] [DESCRIPTOR=1]: writes the pattern for ever and publishes exactly how much its pipe
/// took. Its end of the pipe is set to O_NONBLOCK (by itself, as a program may), so that no write is half done unseen.

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "tests/support/pattern.hpp"
#include "tests/support/progress.hpp"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  tests::ProgressCounters* progress = tests::map_progress(argv[1]);
  if (progress == nullptr) return 2;
  const std::size_t block = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 4096;
  const int out = argc > 3 ? std::atoi(argv[3]) : 1;
  if (fcntl(out, F_SETFL, fcntl(out, F_GETFL) | O_NONBLOCK) != 0) return 2;
  progress->begun.store(1);

  std::uint64_t offset = 0;
  std::string bytes;
  for (;;) {
    if (bytes.empty()) bytes = tests::pattern(block, offset);
    const ssize_t written = write(out, bytes.data(), bytes.size());
    if (written > 0) {
      offset += static_cast<std::uint64_t>(written);
      bytes.erase(0, static_cast<std::size_t>(written));
      progress->bytes.store(offset);
      progress->calls.fetch_add(1);
    } else if (errno == EAGAIN) {
      progress->waited.fetch_add(1);
      pollfd room{out, POLLOUT, 0};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return 1;
    }
  }
}
