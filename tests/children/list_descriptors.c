/* list_descriptors [numbers [OUT]]: its own open descriptors, on descriptor OUT (1 where not given).
 * numbers: "0 1 2\n". Otherwise a line each: "1 pipe:[4711] nonblock", the last word only where it is so. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char** argv) {
  const int numbers = argc > 1 && strcmp(argv[1], "numbers") == 0;
  const int out = argc > 2 ? atoi(argv[2]) : 1;
  int first = 1;
  for (int fd = 0; fd < 1024; ++fd) {
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0) continue;
    if (numbers) {
      dprintf(out, first ? "%d" : " %d", fd);
      first = 0;
      continue;
    }
    char link[64], target[512];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
    dprintf(out, "%d %s%s\n", fd, target, (flags & O_NONBLOCK) ? " nonblock" : "");
  }
  if (numbers) dprintf(out, "\n");
  return 0;
}
