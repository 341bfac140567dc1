/* A command with a descendant that left its group, its session and its parent. Writes one byte when both are there,
   then both wait for ever. */
#include "bench/children/bare.h"

static int other_process(void) { return (int)call(__NR_clone, 17 /* SIGCHLD */, 0, 0) != 0; }
static void sleep_for_ever(void) {
  const long long_time[2] = {1000000, 0};
  for (;;) call(__NR_nanosleep, (long)long_time, 0, 0);
}

void start(const long* stack) {
  (void)stack;
  if (!other_process()) {
    call(__NR_setsid, 0, 0, 0);
    if (other_process()) leave(0);
    call(__NR_write, 1, (long)"!", 1);
  }
  sleep_for_ever();
}
