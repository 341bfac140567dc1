/* deaf: ignores the signals that ask, never reads, says "deaf" once and stays. */
#include <signal.h>
#include <unistd.h>

int main(void) {
  const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; ++i) signal(ignored[i], SIG_IGN);
  if (write(1, "deaf\n", 5) != 5) return 1;
  for (;;) pause();
}
