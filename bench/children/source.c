/* source BYTES: so many bytes to stdout, 64 KiB at a time; without an argument for ever. */
#include "bench/children/bare.h"

static char buffer[65536];

static unsigned long number(const char* text) {
  unsigned long value = 0;
  for (; *text >= '0' && *text <= '9'; ++text) value = value * 10 + (unsigned long)(*text - '0');
  return value;
}

void start(const long* stack) {
  unsigned long left = stack[0] > 1 ? number((const char*)stack[2]) : ~0UL;
  while (left > 0) {
    long written = call(__NR_write, 1, (long)buffer, (long)(left < sizeof buffer ? left : sizeof buffer));
    if (written <= 0) leave(1);
    left -= (unsigned long)written;
  }
  leave(0);
}
