/* stdin to stdout, 64 KiB at a time. */
#include "bench/children/bare.h"

static char buffer[65536];

void start(const long* stack) {
  (void)stack;
  for (;;) {
    long count = call(__NR_read, 0, (long)buffer, sizeof buffer);
    if (count <= 0) leave(count < 0);
    for (long at = 0; at < count;) {
      long written = call(__NR_write, 1, (long)buffer + at, count - at);
      if (written <= 0) leave(1);
      at += written;
    }
  }
}
