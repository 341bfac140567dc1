/* Waits for ever. */
#include "bench/children/bare.h"

void start(const long* stack) {
  const long long_time[2] = {1000000, 0};
  (void)stack;
  for (;;) call(__NR_nanosleep, (long)long_time, 0, 0);
}
