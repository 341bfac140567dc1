/* read_at_once: takes what is on stdin at this very moment, without waiting, and prints "<bytes> eof" or
 * "<bytes> open". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void) {
  char buffer[4096];
  long bytes = 0;
  fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
  for (;;) {
    const ssize_t n = read(0, buffer, sizeof buffer);
    if (n > 0) {
      bytes += n;
    } else {
      printf("%ld %s\n", bytes, n == 0 ? "eof" : errno == EAGAIN ? "open" : "error");
      return 0;
    }
  }
}
