/* Three pipes (BENCH_TRANSPORT=socket: socket pairs) and their ends, for the peers that make them by hand. */
#pragma once
#include <fcntl.h>
#include <sys/socket.h>

struct Pipes {
  int ours[3], theirs[3];
};

/* The ends of the command block, as it expects; ours don't when `nonblocking`. BENCH_PIPE_BYTES: F_SETPIPE_SZ. */
static void open_pipes(struct Pipes* pipes, int nonblocking) {
  const char* bytes = getenv("BENCH_PIPE_BYTES");
  const char* transport = getenv("BENCH_TRANSPORT");
  const int by_socket = transport != NULL && strcmp(transport, "socket") == 0;
  for (int number = 0; number < 3; ++number) {
    int ends[2];
    if (by_socket) check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    else check(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
    pipes->ours[number] = ends[number == 0];
    pipes->theirs[number] = ends[number != 0];
    if (nonblocking) fcntl(pipes->ours[number], F_SETFL, O_NONBLOCK);
    if (bytes != NULL && !by_socket) fcntl(ends[0], F_SETPIPE_SZ, atoi(bytes));
  }
}

static void close_theirs(const struct Pipes* pipes) {
  for (int number = 0; number < 3; ++number) close(pipes->theirs[number]);
}
