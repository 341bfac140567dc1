/* become_root: a set-user-id program that becomes root altogether, says "root" and stays, as sudo would. */
#include <unistd.h>

int main(void) {
  const int is_root = setresuid(0, 0, 0) == 0;
  if (write(1, is_root ? "root\n" : "none\n", 5) != 5) return 1;
  for (;;) pause();
}
