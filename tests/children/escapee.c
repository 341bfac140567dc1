/* escapee leave|stay [deaf] [unmarked] [big]: a grandchild leaves group and session (double fork, setsid) and keeps
 * every descriptor. It prints "<pid of the grandchild>\n"; the leader then exits 0 or stays.
 * deaf: the grandchild ignores what asks. unmarked: it has an empty environment. big: it has a gigabyte in small pages,
 * so that its death takes a while. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int has(int argc, char** argv, const char* word) {
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], word) == 0) return 1;
  }
  return 0;
}

static int hoard(void) {
  const size_t bytes = (size_t)1 << 30;
  void* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || madvise(memory, bytes, MADV_NOHUGEPAGE) != 0) return 0;
  memset(memory, 1, bytes);
  return 1;
}

int main(int argc, char** argv) {
  if (has(argc, argv, "stay-on")) { /* The grandchild, after its exec. */
    for (;;) pause();
  }
  const pid_t between = fork();
  if (between < 0) return 1;
  if (between == 0) {
    setsid();
    const pid_t grandchild = fork();
    if (grandchild != 0) _exit(grandchild < 0);
    setsid();
    if (has(argc, argv, "deaf")) {
      signal(SIGTERM, SIG_IGN);
      signal(SIGHUP, SIG_IGN);
      signal(SIGINT, SIG_IGN);
    }
    if (has(argc, argv, "big") && !hoard()) return 1;
    dprintf(1, "%d\n", (int)getpid());
    char* const arguments[] = {(char*)"escapee", (char*)"stay-on", NULL};
    char* const nothing[] = {NULL};
    if (has(argc, argv, "unmarked")) execve("/proc/self/exe", arguments, nothing);
    for (;;) pause();
  }
  waitpid(between, NULL, 0);
  while (has(argc, argv, "stay")) pause();
  return 0;
}
