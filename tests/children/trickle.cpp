/// trickle INTERVAL_MS COUNT [TEXT]: writes TEXT (or "<n>\n") in one write each interval; COUNT 0 is for ever.

#include <cstdlib>
#include <string>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const long interval_ms = std::atol(argv[1]), count = std::atol(argv[2]);
  for (long n = 0; count == 0 || n < count; ++n) {
    const std::string text = argc > 3 ? std::string(argv[3]) : std::to_string(n) + "\n";
    if (write(1, text.data(), text.size()) < 0) return 1;
    const timespec pause{interval_ms / 1000, interval_ms % 1000 * 1'000'000};
    nanosleep(&pause, nullptr);
  }
}
