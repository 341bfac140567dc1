/* posix_spawn(3) and epoll(7) on one thread: what a good C++ engineer writes by hand. Ends are told by pidfds. */
#include "bench/peers/protocol.h"
#include "bench/peers/pipes.h"

#include <errno.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { out = 1, err = 2, process = 3, in = 4 };

struct Command {
  pid_t pid;
  int fds[5]; /* By the names above; -1: closed. */
  int open_count;
  double began_us, running_us;
  size_t to_write, to_read, rounds;
};

static struct Job job;
static double* latencies_us;
static size_t latency_count;
static struct Command* commands;
static int poller;
static char block[65536];

static void watch(struct Command* command, int which, uint32_t events) {
  struct epoll_event event = {events, {.u64 = (uint64_t)(command - commands) << 3 | (uint64_t)which}};
  check(epoll_ctl(poller, EPOLL_CTL_ADD, command->fds[which], &event) == 0, "epoll_ctl");
  ++command->open_count;
}

/* Taken out by hand: a child on its way to exec may hold a copy, and then a closed descriptor stays in the set. */
static void close_one(struct Command* command, int which) {
  check(epoll_ctl(poller, EPOLL_CTL_DEL, command->fds[which], NULL) == 0, "epoll_ctl");
  close(command->fds[which]);
  command->fds[which] = -1;
  --command->open_count;
}

static void start(struct Command* command, int with_input) {
  struct Pipes pipes;
  posix_spawn_file_actions_t actions;
  command->began_us = now_us();
  open_pipes(&pipes, 1);
  posix_spawn_file_actions_init(&actions);
  for (int number = 0; number < 3; ++number) posix_spawn_file_actions_adddup2(&actions, pipes.theirs[number], number);
  errno = posix_spawn(&command->pid, job.child[0], &actions, NULL, job.child, environ);
  check(errno == 0, "posix_spawn");
  posix_spawn_file_actions_destroy(&actions);
  close_theirs(&pipes);
  command->running_us = now_us();
  command->open_count = 0;
  command->fds[in] = pipes.ours[0];
  command->fds[out] = pipes.ours[1];
  command->fds[err] = pipes.ours[2];
  command->fds[process] = (int)syscall(SYS_pidfd_open, command->pid, 0);
  watch(command, out, EPOLLIN);
  watch(command, err, EPOLLIN);
  watch(command, process, EPOLLIN);
  if (with_input) watch(command, in, EPOLLOUT | EPOLLET);
  else close(command->fds[in]);
}

static void feed(struct Command* command) {
  while (command->to_write > 0) {
    const size_t wanted = command->to_write < sizeof block ? command->to_write : sizeof block;
    const ssize_t count = write(command->fds[in], block, wanted);
    if (count < 0) return check(errno == EAGAIN, "write");
    command->to_write -= (size_t)count;
  }
  if (!is(&job, "round")) close_one(command, in);
}

static void next_round(struct Command* command) {
  command->began_us = now_us();
  command->to_write = command->to_read = job.bytes;
  feed(command);
}

/* True: the command's last event. */
static int handle(struct Command* command, int which) {
  if (which == in) return feed(command), 0;
  if (which == process) {
    check(waitpid(command->pid, NULL, 0) == command->pid, "waitpid");
    close_one(command, process);
    return command->open_count == 0;
  }
  const ssize_t count = read(command->fds[which], block, sizeof block);
  if (count < 0) return check(errno == EAGAIN, "read"), 0;
  if (count == 0) return close_one(command, which), command->open_count == 0;
  command->to_read -= (size_t)count;
  if (!is(&job, "round") || command->to_read != 0) return 0;
  latencies_us[latency_count++] = now_us() - command->began_us;
  ++command->rounds;
  if (latency_count < job.count) next_round(command);
  return 0;
}

static double per_second(size_t count, double began_us) { return (double)count / (now_us() - began_us) * 1e6; }

static double spawn(void) {
  size_t started = 0, ended = 0;
  const double began = now_us();
  for (; started < job.in_flight && started < job.count; ++started) start(&commands[started], 0);
  while (ended < job.count) {
    struct epoll_event events[256];
    const int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      struct Command* command = &commands[events[i].data.u64 >> 3];
      if (!handle(command, (int)(events[i].data.u64 & 7))) continue;
      latencies_us[ended] = (is(&job, "stall") ? command->running_us : now_us()) - command->began_us;
      ++ended;
      if (started < job.count) ++started, start(command, 0);
    }
  }
  return per_second(job.count, began);
}

static void turn(size_t* ended) {
  struct epoll_event events[256];
  const int count = epoll_wait(poller, events, 256, -1);
  for (int i = 0; i < count; ++i) {
    *ended += (size_t)handle(&commands[events[i].data.u64 >> 3], (int)(events[i].data.u64 & 7));
  }
}

static double round_trips(double* share) {
  size_t ended = 0, most = 0, least = SIZE_MAX;
  for (size_t i = 0; i < job.in_flight; ++i) start(&commands[i], 1);
  const double began = now_us();
  for (size_t i = 0; i < job.in_flight; ++i) next_round(&commands[i]);
  while (latency_count < job.count) turn(&ended);
  const double rate = per_second(job.count, began);
  for (size_t i = 0; i < job.in_flight; ++i) {
    most = commands[i].rounds > most ? commands[i].rounds : most;
    least = commands[i].rounds < least ? commands[i].rounds : least;
    close_one(&commands[i], in);
  }
  *share = (double)most / (double)(least == 0 ? 1 : least);
  while (ended < job.in_flight) turn(&ended);
  return rate;
}

static double stream(void) {
  size_t ended = 0;
  const double began = now_us();
  start(commands, !is(&job, "read"));
  commands->to_write = job.bytes;
  while (ended == 0) turn(&ended);
  return per_second(job.bytes, began);
}

int main(int argc, char** argv) {
  job = read_job(argc, argv);
  latencies_us = calloc(job.count + job.in_flight, sizeof *latencies_us);
  commands = calloc(job.in_flight, sizeof *commands);
  poller = epoll_create1(EPOLL_CLOEXEC);
  double share = 1;
  if (is(&job, "spawn") || is(&job, "stall")) {
    print_result(spawn(), latencies_us, job.count, 1);
  } else if (is(&job, "round")) {
    const double rate = round_trips(&share);
    print_result(rate, latencies_us, latency_count, share);
  } else if (is(&job, "read") || is(&job, "write") || is(&job, "both")) {
    print_result(stream(), latencies_us, 0, 1);
  } else {
    return 3;
  }
}
