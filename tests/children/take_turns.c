/* take_turns TEXT...: writes each TEXT to stdout and stderr in turn, each only when what was written before has been
 * read from its pipe: so the order in which they arrive is known, however slow the reader is. */
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static void wait_until_read(int fd) {
  for (int unread = 1;;) {
    if (ioctl(fd, FIONREAD, &unread) != 0 || unread == 0) return;
    nanosleep(&(struct timespec){0, 200000}, NULL);
  }
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const int fd = i % 2 == 1 ? 1 : 2;
    const size_t size = strlen(argv[i]);
    if (write(fd, argv[i], size) != (ssize_t)size) return 1;
    wait_until_read(fd);
  }
}
