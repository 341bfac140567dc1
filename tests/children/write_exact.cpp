/// write_exact BYTES [BLOCK=65536] [DESCRIPTOR=1] [EXIT_CODE=0]: writes so many bytes of the pattern
/// (blocking) and exits.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <unistd.h>

#include "tests/support/pattern.hpp"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::uint64_t total = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t block = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 65536;
  const int out = argc > 3 ? std::atoi(argv[3]) : 1;
  for (std::uint64_t offset = 0; offset < total;) {
    const std::string bytes = tests::pattern(static_cast<std::size_t>(std::min(block, total - offset)), offset);
    const ssize_t written = write(out, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return 100;
    if (written > 0) offset += static_cast<std::uint64_t>(written);
  }
  return argc > 4 ? std::atoi(argv[4]) : 0;
}
