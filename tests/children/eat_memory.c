/* eat_memory MIB [hold]: touches so many MiB, says so, and ends; or holds them until it is killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
  for (size_t i = 0; i < mib; ++i) {
    volatile char* block = malloc(1 << 20);
    if (block == NULL) return 3;
    for (size_t at = 0; at < 1 << 20; at += 4096) block[at] = 1;
  }
  printf("ate %zu\n", mib);
  fflush(stdout);
  while (argc > 2 && strcmp(argv[2], "hold") == 0) pause();
  return 0;
}
