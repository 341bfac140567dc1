/* What the ring's own system calls cost for one stream: a write(2), and a read by io_uring with the flags that ours
 * has. One thread, and nothing of an engine. */
#include "bench/peers/protocol.h"
#include "bench/peers/pipes.h"

#include <liburing.h>
#include <sys/wait.h>

static struct Job job;
static char block[65536];

static void open_ring(struct io_uring* ring) {
  struct io_uring_params params = {0};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN;
  check(io_uring_queue_init_params(64, ring, &params) == 0, "io_uring_queue_init_params");
  io_uring_register_ring_fd(ring);
}

static size_t read_by(struct io_uring* ring, int fd) {
  struct io_uring_cqe* done = NULL;
  struct io_uring_sqe* entry = io_uring_get_sqe(ring);
  io_uring_prep_read(entry, fd, block, sizeof block, ~(uint64_t)0);
  check(io_uring_submit_and_wait(ring, 1) >= 0 && io_uring_peek_cqe(ring, &done) == 0, "io_uring_submit_and_wait");
  const int bytes = done->res;
  io_uring_cqe_seen(ring, done);
  check(bytes > 0, "read");
  return (size_t)bytes;
}

static double round_trips(double* latencies_us) {
  struct Pipes pipes;
  struct io_uring ring;
  open_pipes(&pipes, 1);
  const pid_t pid = vfork();
  check(pid >= 0, "vfork");
  if (pid == 0) {
    for (int number = 0; number < 3; ++number) dup2(pipes.theirs[number], number);
    execv(job.child[0], job.child);
    _exit(127);
  }
  close_theirs(&pipes);
  open_ring(&ring);
  const double first = now_us();
  for (size_t i = 0; i < job.count; ++i) {
    const double began = now_us();
    check(write(pipes.ours[0], block, job.bytes) == (ssize_t)job.bytes, "write");
    for (size_t got = 0; got < job.bytes;) got += read_by(&ring, pipes.ours[1]);
    latencies_us[i] = now_us() - began;
  }
  const double rate = (double)job.count / (now_us() - first) * 1e6;
  close(pipes.ours[0]);
  check(waitpid(pid, NULL, 0) == pid, "waitpid");
  return rate;
}

int main(int argc, char** argv) {
  job = read_job(argc, argv);
  if (!is(&job, "round") || job.in_flight != 1) return 3; /* Not a scenario of this one. */
  double* latencies_us = calloc(job.count + 1, sizeof *latencies_us);
  print_result(round_trips(latencies_us), latencies_us, job.count, 1);
}
