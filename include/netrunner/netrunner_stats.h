/// Figures and events, in C. Part of <netrunner/netrunner.h>, whose rules hold here.
#ifndef NETRUNNER_NETRUNNER_STATS_H
#define NETRUNNER_NETRUNNER_STATS_H

#include <netrunner/netrunner.h>

#ifdef __cplusplus
extern "C" {
#endif

// --------------------------------------------------------------------------------------------------------- figures

typedef enum nr_command_state {
  NR_STATE_STARTING,
  NR_STATE_RUNNING,
  NR_STATE_DRAINING,  ///< The leader ended; output still comes.
  NR_STATE_SETTLING,  ///< What outlived the leader is being dealt with.
  NR_STATE_ENDED
} nr_command_state;
const char* nr_command_state_name(nr_command_state state);

typedef struct nr_stream_stats {
  bool is_pipe;            ///< To or from this process; if not, the rest is 0.
  bool ended;
  uint64_t bytes, operations, dropped_bytes;
  uint64_t stalls;         ///< Times without credit (output: its reader is slow) or room (input: the command is).
  uint64_t stalled_ns;     ///< In all.
  uint64_t stalled_for_ns; ///< It stands still now, for so long.
  uint64_t waits;          ///< Reads that found nothing...
  uint64_t waited_ns;      ///< ...and how long they waited for the command to write.
  uint64_t held_bytes;     ///< With the reader, or waiting for it.
} nr_stream_stats;

typedef struct nr_command_stats {
  size_t size;
  uint64_t id;
  pid_t pid;
  uint32_t shard;
  nr_command_state state;
  nr_usage usage;              ///< Of the leader and what it has waited for; 0 in a list.
  nr_timeline timeline;        ///< As far as it has come.
  nr_stream_stats streams[3];  ///< NR_IN, NR_OUT, NR_ERR.
  char program[64];            ///< Cut where it is longer.
} nr_command_stats;
#define NR_COMMAND_STATS_INIT NR_INIT_(nr_command_stats)

/// The figures of a command now, or its last ones.
nr_code nr_process_stats(nr_process* process, int64_t timeout_ns, nr_command_stats* stats, nr_error* error);
/// The commands that have not ended: `list` (each of it with its size) gets `count_max` of them at most; returns how
/// many there are. Blocks for a moment; on one of the engine's threads it returns 0.
size_t nr_engine_list(nr_engine* engine, nr_command_stats* list, size_t count_max);
/// All figures of the engine as OpenMetrics text, cut to `size` bytes with its NUL, as snprintf(3) does.
size_t nr_engine_openmetrics(nr_engine* engine, char* text, size_t size);

// ---------------------------------------------------------------------------------------------------------- events

/// netrunner::EventKind: which members below hold something is said there.
typedef enum nr_event_kind {
  NR_EVENT_QUEUED, NR_EVENT_SPAWNED, NR_EVENT_EXEC, NR_EVENT_START_FAILED, NR_EVENT_OUTPUT, NR_EVENT_STALLED,
  NR_EVENT_RESUMED, NR_EVENT_LIMIT, NR_EVENT_STOP, NR_EVENT_SIGNAL, NR_EVENT_EXITED, NR_EVENT_DRAINED,
  NR_EVENT_GONE, NR_EVENT_SHEPHERD_STARTED, NR_EVENT_SHEPHERD_LOST, NR_EVENT_STOP_COMMAND
} nr_event_kind;
const char* nr_event_kind_name(nr_event_kind kind);

/// Lives during the callback only.
struct nr_event {
  size_t size;
  nr_event_kind kind;
  uint32_t shard;
  uint64_t sequence;     ///< Within the shard, from 1 on, without a gap.
  int64_t at_ns;
  uint64_t command;      ///< nr_process_id; 0: of the shard itself.
  pid_t pid;
  const char* program;
  int stream;
  uint64_t bytes, total_bytes, stalled_ns;
  nr_end_reason reason;
  int signal;            ///< NR_EVENT_SIGNAL, with its target and errno (0: delivered).
  nr_target target;
  int sys_errno;
  nr_exit_status status;
  /// NR_EVENT_START_FAILED: the error, in one line. NR_EVENT_STOP_COMMAND: its program, or the error. Else "".
  const char* message;
  const nr_ended* ended; ///< NR_EVENT_GONE.
};

#ifdef __cplusplus
}
#endif

#endif
