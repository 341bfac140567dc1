/* hopper [setsid|restless]: forks and exits at once, for ever, and keeps every descriptor. setsid: in a session of its
 * own; restless: in a new one each time. The leader says "hopping" and stays. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const pid_t first = fork();
  if (first < 0) return 1;
  if (first > 0) {
    if (write(1, "hopping\n", 8) != 8) return 1;
    waitpid(first, NULL, 0);
    for (;;) pause();
  }
  if (argc > 1 && strcmp(argv[1], "setsid") == 0) setsid();
  for (;;) {
    if (fork() > 0) _exit(0);
    if (argc > 1 && strcmp(argv[1], "restless") == 0) setsid();
    usleep(50); /* Thousands of numbers a second, not all that there are. */
  }
}
