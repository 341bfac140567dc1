/* burn_cpu PROCESSES [MS]: so many processes use the CPU, each for so many milliseconds of its own CPU time, or for
   ever. The last one is the leader, which waits for none of the others. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int processes = argc > 1 ? atoi(argv[1]) : 1;
  const long ms = argc > 2 ? atol(argv[2]) : -1;
  for (int i = 1; i < processes; ++i) {
    if (fork() == 0) break;
  }
  for (volatile unsigned long turns = 0;; ++turns) {
    struct timespec used;
    if (turns % 4096 != 0 || ms < 0) continue;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    if (used.tv_sec * 1000 + used.tv_nsec / 1000000 >= ms) return 0;
  }
}
