/// The daemon in C (C11): what <netrunner/daemon.hpp> has, by the rules of <netrunner/netrunner.h>.
#ifndef NETRUNNER_DAEMON_H
#define NETRUNNER_DAEMON_H

#include <netrunner/netrunner.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A command that is kept running; netrunner::Daemon has the whole story.
typedef struct nr_daemon nr_daemon;

typedef enum nr_restart { NR_RESTART_ALWAYS, NR_RESTART_ON_FAILURE, NR_RESTART_NEVER } nr_restart;

/// How it is known that an instance is ready.
typedef enum nr_ready {
  NR_READY_STARTED,  ///< exec has succeeded.
  NR_READY_LINE,     ///< It wrote a line that matches `ready_line`, a POSIX extended regular expression.
  NR_READY_PORT,     ///< A connection to `ready_port` of the loopback address is accepted.
  NR_READY_NOTIFY,   ///< It sent READY=1 to $NOTIFY_SOCKET, see sd_notify(3).
  NR_READY_COMMAND   ///< `ready_probe` exited with 0.
} nr_ready;

typedef enum nr_daemon_state {
  NR_DAEMON_WAITING,      ///< For what must be there before the start.
  NR_DAEMON_STARTING,     ///< Started, not ready yet.
  NR_DAEMON_READY,
  NR_DAEMON_STOPPING,
  NR_DAEMON_BACKING_OFF,  ///< Ended; the next start has its time.
  NR_DAEMON_STOPPED,      ///< By request, or it ended and is not to be restarted.
  NR_DAEMON_FAILED        ///< Given up; the reason says why.
} nr_daemon_state;

/// A line of output without its newline; valid during the call.
typedef struct nr_daemon_line {
  uint32_t instance;
  pid_t pid;
  int stream;         ///< NR_OUT or NR_ERR.
  const char* text;   ///< No NUL at its end.
  size_t bytes;
  bool continues;     ///< It goes on from the line before it of this stream, which was over-long and cut.
} nr_daemon_line;

/// 0 or NULL is the default of each, see netrunner::DaemonOptions.
typedef struct nr_daemon_options {
  size_t size;
  nr_restart restart;
  uint32_t instances;        ///< Side by side (1); each has its number in $NETRUNNER_INSTANCE.
  int64_t backoff_first_ns;  ///< The pause before a restart (100 ms), doubled up to
  int64_t backoff_max_ns;    ///< this (30 s),
  int64_t stable_after_ns;   ///< and the first again after so long of being ready (30 s).
  uint32_t burst_restarts;   ///< Given up after so many (10; UINT32_MAX: never given up)
  nr_ready ready;
  int64_t burst_within_ns;   ///< within this (1 min).
  const char* ready_line;
  const nr_command* ready_probe;
  int64_t ready_timeout_ns;  ///< Stopped, and tried again, when it isn't ready by then (1 min).
  int64_t watchdog_ns;       ///< The same where it sends no WATCHDOG=1 for so long (never).
  const char* wait_for_path; ///< Not started before this is there.
  uint16_t ready_port;
  uint16_t wait_for_port;    ///< Not started before the loopback address accepts connections there.
  uint32_t rotate_files;     ///< Full log files that are kept (5).
  uint64_t rotate_bytes;     ///< A full log file is renamed to FILE.1 (never full).
  const char* log_path;      ///< stdout and stderr of all instances, appended; `{i}`: the number of the instance.
  /// Instead of a file: called in a thread of the daemon's own, a line at a time. Neither: this process's own streams.
  void (*on_line)(const nr_daemon_line* line, void* context);
  void* context;
} nr_daemon_options;
#define NR_DAEMON_OPTIONS_INIT NR_INIT_(nr_daemon_options)

#define NR_REASON_BYTES 512

/// One instance, at one moment.
typedef struct nr_daemon_status {
  size_t size;
  nr_daemon_state state;
  pid_t pid;                     ///< 0: not running.
  uint64_t starts, restarts;
  int64_t next_start_ns;         ///< NR_DAEMON_BACKING_OFF; 0: none.
  bool has_ended;                ///< At least once: `last_end` says how it was the last time.
  nr_exit_status last_end;
  char reason[NR_REASON_BYTES];       ///< Why it is in this state; cut where it is longer.
  char status_text[NR_REASON_BYTES];  ///< STATUS= of sd_notify(3).
} nr_daemon_status;
#define NR_DAEMON_STATUS_INIT NR_INIT_(nr_daemon_status)

/// Starts all instances and returns at once. The engine must outlive the daemon, or be closed before it is freed.
nr_code nr_daemon_start(nr_engine* engine, const nr_command* command, const nr_daemon_options* options,
                        nr_daemon** daemon, nr_error* error);
/// Returns when all instances are ready, or one has stopped or failed (NR_ALREADY_EXITED, or why it can't be started).
nr_code nr_daemon_ready(nr_daemon* daemon, int64_t timeout_ns, nr_error* error);
/// Returns when all instances are stopped or failed, and what they wrote is written.
nr_code nr_daemon_wait(nr_daemon* daemon, int64_t timeout_ns, nr_error* error);
/// Every instance's ladder (NULL: the command's own); returns at once.
nr_code nr_daemon_stop(nr_daemon* daemon, const char* ladder, nr_error* error);
/// Stops what runs and starts it anew when nothing of it is left; what backs off, stopped or failed is started now.
void nr_daemon_restart(nr_daemon* daemon);
void nr_daemon_reopen_log(nr_daemon* daemon);  ///< After a rename of the log file.
/// To the process that runs now: NR_ALREADY_EXITED where none does.
nr_code nr_daemon_signal(nr_daemon* daemon, uint32_t instance, int signal, nr_target target, nr_error* error);
/// To its stdin (nr_command_stdio, NR_STDIO_PIPE); returns when all bytes are accepted.
nr_code nr_daemon_write(nr_daemon* daemon, uint32_t instance, const void* bytes, size_t count, nr_error* error);
nr_code nr_daemon_get_status(nr_daemon* daemon, uint32_t instance, nr_daemon_status* status, nr_error* error);
const char* nr_daemon_state_name(nr_daemon_state state);
/// Stopped by the ladder, without blocking.
void nr_daemon_free(nr_daemon* daemon);

#ifdef __cplusplus
}
#endif

#endif
