/* The C interface: run to the end, then a conversation with a command. */
#include <netrunner/netrunner.h>
#include <stdio.h>

static int failed(const nr_error* error) {
  fprintf(stderr, "%s: %s\n", nr_code_name(error->code), error->message);
  return 1;
}

static int run(nr_engine* engine, nr_error* error) {
  nr_command* command = nr_command_new("sort");
  nr_command_arg(command, "-n");
  nr_command_input(command, "10\n9\n1\n", 7);
  nr_command_deadline(command, INT64_C(5000000000));
  nr_completed* completed = NULL;
  const nr_code code = nr_run(engine, command, NULL, &completed, error);
  nr_command_free(command);
  if (code != NR_OK) return failed(error);
  const bool success = nr_ended_success(nr_completed_ended(completed));
  printf("%s", nr_completed_captured(completed, NR_OUT).head);
  nr_completed_free(completed);
  return success ? 0 : 1;
}

static int talk(nr_engine* engine, nr_error* error) {
  nr_command* command = nr_command_new("cat");
  nr_command_stdio(command, NR_IN, NR_STDIO_PIPE);
  nr_process* cat = NULL;
  const nr_code code = nr_spawn(engine, command, &cat, error);
  nr_command_free(command);
  if (code != NR_OK) return failed(error);
  char answer[64];
  size_t count = 0;
  nr_ended ended = NR_ENDED_INIT;
  const bool right = nr_process_write(cat, NR_IN, "hello\n", 6, NR_FOREVER, NULL, error) == NR_OK &&
                     nr_process_read(cat, NR_OUT, answer, sizeof answer, NR_FOREVER, &count, error) == NR_OK &&
                     nr_process_close_input(cat, NR_IN, NR_FOREVER, error) == NR_OK &&
                     nr_process_wait(cat, NR_FOREVER, &ended, error) == NR_OK;
  nr_process_free(cat); /* Still running here? Then it would be stopped. */
  if (!right) return failed(error);
  printf("%.*scat: code %d, reason %s\n", (int)count, answer, ended.status.code, nr_end_reason_name(ended.reason));
  return nr_ended_success(&ended) ? 0 : 1;
}

int main(void) {
  nr_error error = NR_ERROR_INIT;
  nr_engine* engine = NULL;
  if (nr_engine_open(NULL, &engine, &error) != NR_OK) return failed(&error);
  const int wrong = run(engine, &error) + talk(engine, &error);
  nr_engine_free(engine);
  return wrong;
}
