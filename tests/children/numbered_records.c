/* numbered_records COUNT: writes COUNT records of 8 bytes, 0, 1, 2 and so on, with 20 to 120 microseconds between. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  for (uint64_t number = 0; number < count; ++number) {
    if (write(1, &number, sizeof number) != sizeof number) return 1;
    const struct timespec pause = {.tv_nsec = 20000 + (long)(number * 7919 % 100000)};
    nanosleep(&pause, NULL);
  }
  return 0;
}
