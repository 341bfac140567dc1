/* fork_many N: tries to start N processes that stay, says how many there were, and stays until its input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int wanted = argc > 1 ? atoi(argv[1]) : 1;
  int started = 0;
  for (int i = 0; i < wanted; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      for (;;) pause();
    }
    if (pid > 0) ++started;
  }
  printf("%d of %d\n", started, wanted);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}
