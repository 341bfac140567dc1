/* A command that is kept running, in C. */
#include <netrunner/daemon.h>
#include <signal.h>
#include <stdio.h>

static int fail(const nr_error* error) {
  fprintf(stderr, "%s\n", error->message);
  return 1;
}

int main(void) {
  nr_error error = NR_ERROR_INIT;
  nr_engine* engine = NULL;
  if (nr_engine_open(NULL, &engine, &error) != NR_OK) return fail(&error);

  nr_command* server = nr_command_shell("echo listening; exec sleep 1000");
  nr_daemon_options options = NR_DAEMON_OPTIONS_INIT;
  options.ready = NR_READY_LINE;
  options.ready_line = "^listening";
  nr_daemon* daemon = NULL;
  if (nr_daemon_start(engine, server, &options, &daemon, &error) != NR_OK) return fail(&error);
  nr_command_free(server);

  const int64_t patience_ns = INT64_C(30000000000);
  nr_daemon_status status = NR_DAEMON_STATUS_INIT;
  if (nr_daemon_ready(daemon, patience_ns, &error) != NR_OK) return fail(&error);
  if (nr_daemon_get_status(daemon, 0, &status, &error) != NR_OK) return fail(&error);
  printf("%s, %llu start\n", nr_daemon_state_name(status.state), (unsigned long long)status.starts);

  if (nr_daemon_stop(daemon, "TERM:5s,KILL", &error) != NR_OK) return fail(&error);
  if (nr_daemon_wait(daemon, patience_ns, &error) != NR_OK) return fail(&error);
  if (nr_daemon_get_status(daemon, 0, &status, &error) != NR_OK) return fail(&error);
  printf("%s: %s\n", nr_daemon_state_name(status.state), status.reason);

  nr_daemon_free(daemon);
  nr_engine_free(engine);
  return status.last_end.signal == SIGTERM ? 0 : 1;
}
