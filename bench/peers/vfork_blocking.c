/* The floor: vfork, and a thread that blocks for each command. What the same system calls cost, and nothing else. */
#include "bench/peers/protocol.h"
#include "bench/peers/pipes.h"

#include <stdatomic.h>
#include <sys/wait.h>

static struct Job job;
static double* latencies_us;
static atomic_size_t next_command;
static char block[1 << 20];

static pid_t start(struct Pipes* pipes) {
  open_pipes(pipes, 0);
  const pid_t pid = vfork();
  check(pid >= 0, "vfork");
  if (pid == 0) {
    for (int number = 0; number < 3; ++number) dup2(pipes->theirs[number], number);
    execv(job.child[0], job.child);
    _exit(127);
  }
  close_theirs(pipes);
  return pid;
}

static void end(pid_t pid, const struct Pipes* pipes) {
  close(pipes->ours[1]);
  close(pipes->ours[2]);
  check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

static size_t read_to_end(int fd, char* into, size_t bytes) {
  size_t total = 0;
  for (ssize_t count; (count = read(fd, into, bytes)) > 0;) total += (size_t)count;
  return total;
}

static void write_all(int fd, size_t bytes, size_t at_once) {
  while (bytes > 0) {
    const ssize_t count = write(fd, block, bytes < at_once ? bytes : at_once);
    check(count > 0, "write");
    bytes -= (size_t)count;
  }
}

static void* spawn_many(void* unused) {
  char output[4096];
  for (size_t at; (at = atomic_fetch_add(&next_command, 1)) < job.count;) {
    struct Pipes pipes;
    const double began = now_us();
    const pid_t pid = start(&pipes);
    close(pipes.ours[0]);
    read_to_end(pipes.ours[1], output, sizeof output);
    read_to_end(pipes.ours[2], output, sizeof output);
    end(pid, &pipes);
    latencies_us[at] = now_us() - began;
  }
  return unused;
}

static double spawn(void) {
  pthread_t* threads = calloc(job.in_flight, sizeof *threads);
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  const double began = now_us();
  for (size_t i = 1; i < job.in_flight; ++i) {
    check(pthread_create(&threads[i], &small, spawn_many, NULL) == 0, "pthread_create");
  }
  spawn_many(NULL);
  for (size_t i = 1; i < job.in_flight; ++i) pthread_join(threads[i], NULL);
  return (double)job.count / (now_us() - began) * 1e6;
}

static double round_trips(void) {
  struct Pipes pipes;
  const pid_t pid = start(&pipes);
  const double first = now_us();
  for (size_t i = 0; i < job.count; ++i) {
    const double began = now_us();
    write_all(pipes.ours[0], job.bytes, job.bytes);
    for (size_t got = 0; got < job.bytes;) got += (size_t)read(pipes.ours[1], block, sizeof block);
    latencies_us[i] = now_us() - began;
  }
  const double took = now_us() - first;
  close(pipes.ours[0]);
  end(pid, &pipes);
  return (double)job.count / took * 1e6;
}

static void* feed(void* fd) {
  write_all(*(int*)fd, job.bytes, 65536);
  close(*(int*)fd);
  return NULL;
}

/* read, write, both: bytes per second. */
static double stream(void) {
  struct Pipes pipes;
  const double began = now_us();
  const pid_t pid = start(&pipes);
  pthread_t feeder;
  if (is(&job, "read")) close(pipes.ours[0]);
  if (is(&job, "write")) feed(&pipes.ours[0]);
  if (is(&job, "both")) pthread_create(&feeder, NULL, feed, &pipes.ours[0]);
  const size_t total = read_to_end(pipes.ours[1], block, 65536);
  check(is(&job, "write") || total == job.bytes, "bytes are missing");
  if (is(&job, "both")) pthread_join(feeder, NULL);
  end(pid, &pipes);
  return (double)job.bytes / (now_us() - began) * 1e6;
}

int main(int argc, char** argv) {
  job = read_job(argc, argv);
  latencies_us = calloc(job.count + 1, sizeof *latencies_us);
  if (is(&job, "spawn")) {
    print_result(spawn(), latencies_us, job.count, 1);
  } else if (is(&job, "round") && job.in_flight == 1) {
    print_result(round_trips(), latencies_us, job.count, 1);
  } else if (is(&job, "read") || is(&job, "write") || is(&job, "both")) {
    print_result(stream(), latencies_us, 0, 1);
  } else {
    return 3; /* Not a scenario of this one. */
  }
}
