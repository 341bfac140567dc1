/* libuv: uv_spawn with three UV_CREATE_PIPE streams, as its guide shows ("Child process I/O"). */
#include "bench/peers/protocol.h"

#include <uv.h>

struct Command {
  uv_process_t process;
  uv_pipe_t pipes[3];
  int open_count;
  double began_us;
  size_t to_write, to_read, rounds;
};

static struct Job job;
static double* latencies_us;
static size_t latency_count, started;
static struct Command* commands;
static uv_loop_t* loop;
static char block[65536], output[65536];

static void start(struct Command* command);

static void closed(uv_handle_t* handle) {
  struct Command* command = (struct Command*)handle->data;
  if (--command->open_count > 0 || !is(&job, "spawn")) return;
  latencies_us[latency_count++] = now_us() - command->began_us;
  if (started < job.count) start(command);
}

static void close_input(struct Command* command) { uv_close((uv_handle_t*)&command->pipes[0], closed); }

static void ended(uv_process_t* process, int64_t status, int signal) {
  (void)status, (void)signal;
  uv_close((uv_handle_t*)process, closed);
}

static void lend_buffer(uv_handle_t* handle, size_t suggested, uv_buf_t* buffer) {
  (void)handle, (void)suggested;
  *buffer = uv_buf_init(output, sizeof output);
}

static void feed(struct Command* command);
static void written(uv_write_t* request, int status) {
  check(status == 0, "uv_write");
  struct Command* command = (struct Command*)request->data;
  free(request);
  feed(command);
}

static void feed(struct Command* command) {
  const size_t count = command->to_write < sizeof block ? command->to_write : sizeof block;
  if (count == 0 && !is(&job, "round")) return close_input(command);
  if (count == 0) return;
  command->to_write -= count;
  const uv_buf_t buffer = uv_buf_init(block, (unsigned)count);
  uv_write_t* request = malloc(sizeof *request);
  request->data = command;
  uv_write(request, (uv_stream_t*)&command->pipes[0], &buffer, 1, written);
}

static void next_round(struct Command* command) {
  command->began_us = now_us();
  command->to_write = command->to_read = job.bytes;
  feed(command);
}

static void arrived(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  (void)buffer;
  struct Command* command = (struct Command*)stream->data;
  if (count < 0) return uv_close((uv_handle_t*)stream, closed);
  command->to_read -= (size_t)count;
  if (!is(&job, "round") || command->to_read != 0 || latency_count == job.count) return;
  latencies_us[latency_count++] = now_us() - command->began_us;
  ++command->rounds;
  if (latency_count < job.count) return next_round(command);
  uv_stop(loop);
}

static void start(struct Command* command) {
  uv_stdio_container_t stdio[3];
  uv_process_options_t options;
  memset(&options, 0, sizeof options);
  command->began_us = now_us();
  command->process.data = command;
  for (int number = 0; number < 3; ++number) {
    uv_pipe_init(loop, &command->pipes[number], 0);
    command->pipes[number].data = command;
    stdio[number].flags = (uv_stdio_flags)(UV_CREATE_PIPE | (number == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE));
    stdio[number].data.stream = (uv_stream_t*)&command->pipes[number];
  }
  options.file = job.child[0];
  options.args = job.child;
  options.stdio = stdio;
  options.stdio_count = 3;
  options.exit_cb = ended;
  command->open_count = 4;
  ++started;
  check(uv_spawn(loop, &command->process, &options) == 0, "uv_spawn");
  uv_read_start((uv_stream_t*)&command->pipes[1], lend_buffer, arrived);
  uv_read_start((uv_stream_t*)&command->pipes[2], lend_buffer, arrived);
  if (is(&job, "spawn") || is(&job, "read")) close_input(command);
}

static double per_second(size_t count, double began_us) { return (double)count / (now_us() - began_us) * 1e6; }

static double round_trips(double* share) {
  size_t most = 0, least = SIZE_MAX;
  for (size_t i = 0; i < job.in_flight; ++i) start(&commands[i]);
  const double began = now_us();
  for (size_t i = 0; i < job.in_flight; ++i) next_round(&commands[i]);
  uv_run(loop, UV_RUN_DEFAULT);
  const double rate = per_second(job.count, began);
  for (size_t i = 0; i < job.in_flight; ++i) {
    most = commands[i].rounds > most ? commands[i].rounds : most;
    least = commands[i].rounds < least ? commands[i].rounds : least;
    close_input(&commands[i]);
  }
  *share = (double)most / (double)(least == 0 ? 1 : least);
  uv_run(loop, UV_RUN_DEFAULT);
  return rate;
}

int main(int argc, char** argv) {
  job = read_job(argc, argv);
  latencies_us = calloc(job.count + job.in_flight, sizeof *latencies_us);
  commands = calloc(job.in_flight, sizeof *commands);
  loop = uv_default_loop();
  double share = 1;
  const double began = now_us();
  if (is(&job, "spawn")) {
    while (started < job.in_flight && started < job.count) start(&commands[started]);
    uv_run(loop, UV_RUN_DEFAULT);
    print_result(per_second(job.count, began), latencies_us, latency_count, 1);
  } else if (is(&job, "round")) {
    const double rate = round_trips(&share);
    print_result(rate, latencies_us, latency_count, share);
  } else if (is(&job, "read") || is(&job, "write") || is(&job, "both")) {
    start(commands);
    commands->to_write = job.bytes;
    if (!is(&job, "read")) feed(commands);
    uv_run(loop, UV_RUN_DEFAULT);
    print_result(per_second(job.bytes, began), latencies_us, 0, 1);
  } else {
    return 3;
  }
}
