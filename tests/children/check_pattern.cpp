/// check_pattern [PROGRESS] [DESCRIPTOR=0]: reads the pattern to its end, prints "<bytes> right" or "<bytes> wrong".
/// With PROGRESS it begins when the test says go, and publishes how much it has read.

#include <cstdio>
#include <cstdlib>
#include <time.h>
#include <unistd.h>

#include "tests/support/pattern.hpp"
#include "tests/support/progress.hpp"

int main(int argc, char** argv) {
  tests::ProgressCounters* progress = argc > 1 ? tests::map_progress(argv[1]) : nullptr;
  const int in = argc > 2 ? std::atoi(argv[2]) : 0;
  if (progress != nullptr) {
    progress->begun.store(1);
    const timespec pause{0, 2'000'000};
    while (progress->go.load() == 0) nanosleep(&pause, nullptr);
  }
  tests::PatternCheck check;
  static char buffer[65536];
  for (ssize_t n; (n = read(in, buffer, sizeof buffer)) > 0;) {
    check.add({buffer, static_cast<std::size_t>(n)});
    if (progress != nullptr) progress->bytes.store(check.bytes());
  }
  std::printf("%llu %s\n", static_cast<unsigned long long>(check.bytes()), check.right() ? "right" : "wrong");
}
