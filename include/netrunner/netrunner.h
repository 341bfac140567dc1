/// The C interface (C11): the words of the C++ one, every verb blocking. Link netrunner::netrunner with a C++ linker.
///
/// Results.   A function that can fail returns an nr_code: NR_OK (0), or what a program branches on; the details are in
///            *error, which may be NULL. Nothing is printed, no signal is raised, errno means nothing. Out of memory
///            and a NULL handle end the process (nr_..._free takes NULL).
/// Ownership. What nr_..._new, _copy, _open, nr_spawn or nr_run gives is the caller's until the _free of the same
///            name. A `const char*` or `const void*` that goes in is copied, or read during the call only; one that
///            comes out belongs to the object that it was asked of.
/// Threads.   An engine may be used by any number of threads at once. A command too, while nobody changes it. A
///            process too, one verb per stream at a time (the second gets NR_STREAM_BUSY), and no verb during its free.
/// Time.      int64_t nanoseconds. A duration: NR_FOREVER (-1) is for ever. `timeout_ns` of a verb: 0 doesn't wait,
///            negative waits for ever; past it the verb is withdrawn (NR_TIMED_OUT) and the command is not touched.
///            Points in time: CLOCK_MONOTONIC, 0: it did not happen.
/// Structs    begin with their size: `nr_ended ended = NR_ENDED_INIT;`. Later versions add members at the end only, and
///            fill no more than `size` bytes.
/// fork(2)    The child of a fork gets NR_ENGINE_CLOSED from every verb; it may open its own engine, exec or _exit.
#ifndef NETRUNNER_NETRUNNER_H
#define NETRUNNER_NETRUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// All zero but for its size.
#ifdef __cplusplus
template <class Struct>
inline Struct nr_sized() {
  Struct result = Struct();
  result.size = sizeof(Struct);
  return result;
}
#define NR_INIT_(type) nr_sized<type>()
#else
#define NR_INIT_(type) {.size = sizeof(type)}
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define NR_VERSION_MAJOR 0
#define NR_VERSION_MINOR 1
#define NR_VERSION_PATCH 0
#define NR_VERSION "0.1.0"

/// NR_VERSION of the library that is linked.
const char* nr_version(void);

#define NR_FOREVER INT64_C(-1)
#define NR_UNLIMITED UINT64_MAX

// ---------------------------------------------------------------------------------------------------------- errors

/// The kind of a failure; netrunner::ErrorCode, after NR_OK.
typedef enum nr_code {
  NR_OK,
  NR_INVALID_ARGUMENT,        ///< Permanent: the request itself is wrong.
  NR_NOT_FOUND,               ///< The program, its interpreter, a directory or a file does not exist.
  NR_NOT_EXECUTABLE,          ///< It exists and can't be run: no permission, no #! line, another architecture.
  NR_PERMISSION_DENIED,       ///< The kernel refused a step (credentials, rlimit, file).
  NR_ARGUMENT_LIST_TOO_LONG,  ///< E2BIG.
  NR_LIMIT_REACHED,           ///< A limit of the system or of the engine. Try again later.
  NR_IO_URING_UNAVAILABLE,    ///< The message says which of kernel, sysctl, seccomp and memlock is at fault.
  NR_SHEPHERD_UNAVAILABLE,    ///< The helper process could not be started.
  NR_SHEPHERD_LOST,           ///< The helper process died while the verb was under way.
  NR_ENGINE_CLOSED,           ///< The engine no longer admits this verb.
  NR_ALREADY_EXITED,          ///< The command has exited: there is nothing to signal.
  NR_NOT_A_PIPE,              ///< The stream isn't a pipe to this process.
  NR_STREAM_BUSY,             ///< Another verb is under way on this stream.
  NR_BROKEN_PIPE,             ///< The command closed its stdin: a normal end of writing.
  NR_TIMED_OUT,               ///< The verb's timeout passed; the command was not touched.
  NR_CANCELLED,               ///< The verb was withdrawn.
  NR_LIMIT_UNAVAILABLE,       ///< A limit can't be had here; the message names controller, file and setting.
  NR_SYSTEM                   ///< Any other errno.
} nr_code;

/// The step that failed on the way to a running command, in the order in which they happen; netrunner::Stage.
typedef enum nr_stage {
  NR_STAGE_NONE, NR_STAGE_VALIDATE, NR_STAGE_PIPES, NR_STAGE_TREATY, NR_STAGE_CLONE, NR_STAGE_PARENT_DEATH,
  NR_STAGE_GROUP, NR_STAGE_SESSION, NR_STAGE_TERMINAL, NR_STAGE_STDIO, NR_STAGE_OPEN_FILE, NR_STAGE_CWD,
  NR_STAGE_UMASK, NR_STAGE_NICE, NR_STAGE_RLIMIT, NR_STAGE_OOM_SCORE, NR_STAGE_AFFINITY, NR_STAGE_GROUPS,
  NR_STAGE_GID, NR_STAGE_UID, NR_STAGE_CAPABILITIES, NR_STAGE_NO_NEW_PRIVS, NR_STAGE_CGROUP, NR_STAGE_EXEC
} nr_stage;

#define NR_MESSAGE_BYTES 512

/// Filled by a function that fails, untouched by one that succeeds.
typedef struct nr_error {
  size_t size;
  nr_code code;
  nr_stage stage;
  int sys_errno;                   ///< errno of the call that failed, or 0.
  char message[NR_MESSAGE_BYTES];  ///< One line, cut where it is longer: what failed, on what, why, what to do.
} nr_error;
#define NR_ERROR_INIT NR_INIT_(nr_error)

const char* nr_code_name(nr_code code);    ///< "not_found"; "ok" for NR_OK.
const char* nr_stage_name(nr_stage stage);

// ---------------------------------------------------------------------------------------------------------- engine

typedef struct nr_engine nr_engine;

/// What reaches a command's processes when they are to end, see README.md; netrunner::Containment.
typedef enum nr_containment {
  NR_CONTAINMENT_AUTOMATIC,      ///< The strongest that needs no wish: cgroup, else subreaper.
  NR_CONTAINMENT_PROCESS_GROUP,  ///< The group only.
  NR_CONTAINMENT_CGROUP,         ///< A cgroup v2 leaf per command.
  NR_CONTAINMENT_SUBREAPER,      ///< Orphans are known by session, group and an environment mark.
  NR_CONTAINMENT_PID_NAMESPACE   ///< The helper is init of a namespace.
} nr_containment;

typedef enum nr_log_level { NR_LOG_DEBUG, NR_LOG_INFO, NR_LOG_WARNING, NR_LOG_ERROR } nr_log_level;
const char* nr_log_level_name(nr_log_level level);

typedef struct nr_event nr_event;  ///< See below.

/// 0 or NULL is the default of each, see netrunner::EngineOptions.
typedef struct nr_engine_options {
  size_t size;
  uint32_t shards;                ///< One per usable core; 64 at most.
  uint32_t commands_max;          ///< Running at once, per shard (65,536); past it: NR_LIMIT_REACHED.
  uint64_t window_bytes;          ///< Credit of a stream (256 KiB).
  uint64_t command_budget_bytes;  ///< Credit of all streams of a command together (1 MiB).
  uint64_t shard_budget_bytes;    ///< What all streams of a shard may have in this process (64 MiB).
  uint32_t chunk_bytes;           ///< Largest read (64 KiB); a power of two from 4 KiB to 1 MiB.
  uint32_t pipe_bytes;            ///< F_SETPIPE_SZ of every pipe (the kernel's default).
  int64_t close_max_ns;           ///< nr_engine_close waits for so long, then it kills (10 s).
  const char* shepherd_path;      ///< The helper as a file, where a memfd can't be executed.
  nr_containment containment;     ///< A level that can't be had is an error by name.
  /// Every event of every command, on the engine's threads: thread-safe, must not block; it may call what doesn't.
  void (*on_event)(void* data, const nr_event* event);
  void* on_event_data;
  /// What an operator wants to know, from any of the engine's threads: thread-safe, must not call the engine.
  void (*log)(void* data, nr_log_level level, const char* line);
  void* log_data;
  nr_log_level log_least;         ///< The least level that is made.
} nr_engine_options;
#define NR_ENGINE_OPTIONS_INIT NR_INIT_(nr_engine_options)

/// What nr_engine_close had to stop.
typedef struct nr_close_report {
  size_t size;
  uint64_t stopped;   ///< Commands that were running.
  uint64_t detached;  ///< Of them, detached ones.
  uint64_t killed;    ///< Of them, those whose ladder had not ended within close_max_ns.
  bool complete;      ///< Everything is gone.
  nr_code code;       ///< NR_OK, or NR_INVALID_ARGUMENT: on a thread of the engine's own, nothing was done.
} nr_close_report;
#define NR_CLOSE_REPORT_INIT NR_INIT_(nr_close_report)

/// Starts the engine's threads and helper processes. `options` may be NULL.
nr_code nr_engine_open(const nr_engine_options* options, nr_engine** engine, nr_error* error);
/// Stops every command by its ladder, waits, kills the rest, ends threads and helpers. Verbs under way in other
/// threads end with NR_ENGINE_CLOSED, waits with their result. Idempotent. `report` may be NULL.
void nr_engine_close(nr_engine* engine, nr_close_report* report);
/// nr_engine_close, then the handle is gone. Processes of it may be used and freed later.
void nr_engine_free(nr_engine* engine);

// --------------------------------------------------------------------------------------------------------- command

/// What to run; may be started any number of times. Setters can't fail: a wrong value (a NUL byte can't occur, but a
/// negative deadline, a ladder that can't be read, an unknown user) is the error of nr_spawn and nr_run.
typedef struct nr_command nr_command;

/// `program` with a '/' is that file; without, it is looked up in the PATH of the command's own environment.
nr_command* nr_command_new(const char* program);
/// argv[0] is the program; NULL ends the list.
nr_command* nr_command_from_argv(const char* const* argv);
/// `/bin/sh -c script`.
nr_command* nr_command_shell(const char* script);
nr_command* nr_command_copy(const nr_command* command);
void nr_command_free(nr_command* command);

void nr_command_arg(nr_command* command, const char* argument);             ///< Appended.
void nr_command_args(nr_command* command, const char* const* arguments);    ///< All of them; NULL ends the list.
void nr_command_arg0(nr_command* command, const char* name);                ///< argv[0] where it isn't the program.

/// Without any of these: the environment of this process, as it is when the command is started.
void nr_command_env(nr_command* command, const char* name, const char* value);
void nr_command_unset_env(nr_command* command, const char* name);
void nr_command_clear_env(nr_command* command);  ///< Nothing, but for what is set after it.

void nr_command_cwd(nr_command* command, const char* path);

/// A stream of a command is named by the descriptor number that the command sees.
enum { NR_IN = 0, NR_OUT = 1, NR_ERR = 2 };

typedef enum nr_stdio {
  NR_STDIO_NULL,     ///< /dev/null. Default of stdin.
  NR_STDIO_PIPE,     ///< To or from this process, under credit. Default of stdout; of stderr too with nr_run.
  NR_STDIO_INHERIT,  ///< This process's descriptor of that number. Default of stderr with nr_spawn.
  NR_STDIO_MERGE,    ///< stderr where stdout goes, or stdout where stderr goes.
  NR_STDIO_CLOSED,
  NR_STDIO_TERMINAL  ///< The command's terminal; all streams that say so share it, see nr_command_terminal.
} nr_stdio;

typedef enum nr_file_mode { NR_FILE_READ, NR_FILE_TRUNCATE, NR_FILE_APPEND, NR_FILE_READ_WRITE } nr_file_mode;
typedef enum nr_direction { NR_TO_COMMAND, NR_FROM_COMMAND } nr_direction;

/// `stream` of these: NR_IN, NR_OUT or NR_ERR.
void nr_command_stdio(nr_command* command, int stream, nr_stdio kind);
/// A pipe with its credit window (the bound of its queue, for stdin) and its F_SETPIPE_SZ; 0: the engine's default.
void nr_command_pipe(nr_command* command, int stream, uint64_t window_bytes, uint32_t pipe_bytes);
typedef enum nr_transport {
  NR_TRANSPORT_PIPE,   ///< pipe(7). Default.
  NR_TRANSPORT_SOCKET  ///< An AF_UNIX stream socket: for bulk. What differs: netrunner::Transport in stdio.hpp.
} nr_transport;
/// What carries a stream between this process and the command: makes it a pipe or socket, known input stays that.
void nr_command_transport(nr_command* command, int stream, nr_transport transport);
/// Opened by the command itself; `permissions` before its umask, as 0666.
void nr_command_file(nr_command* command, int stream, const char* path, nr_file_mode mode, uint32_t permissions);
/// A descriptor of this process: borrowed, it must be open when nr_spawn or nr_run is called.
void nr_command_descriptor(nr_command* command, int stream, int fd);
/// stdin that is known in advance, then end of input.
void nr_command_input(nr_command* command, const void* bytes, size_t count);
/// Descriptor `number` (3 to 255) of the command: `fd` of this process, or a pipe to it where fd is -1.
void nr_command_extra(nr_command* command, int number, nr_direction direction, int fd);

typedef enum nr_at_limit {
  NR_AT_LIMIT_STOP,     ///< The command is stopped, NR_REASON_OUTPUT_LIMIT.
  NR_AT_LIMIT_TRUNCATE  ///< The rest is read, dropped and counted.
} nr_at_limit;
typedef enum nr_stragglers { NR_STRAGGLERS_STOP, NR_STRAGGLERS_LEAVE } nr_stragglers;
typedef enum nr_grouping {
  NR_OWN_GROUP,    ///< A new process group in the helper's session. Default.
  NR_OWN_SESSION,  ///< setsid(2).
  NR_JOIN_GROUP    ///< `join_group`; it isn't killed as a group.
} nr_grouping;

/// Wall time from the request; then the ladder runs. A start that isn't done by then fails with NR_TIMED_OUT.
void nr_command_deadline(nr_command* command, int64_t after_ns);
/// So long without a byte of output; then the ladder runs.
void nr_command_idle_limit(nr_command* command, int64_t silence_ns);
/// After the leader's exit: silence that ends the wait for output (250 ms), and the most of it in all (5 s).
void nr_command_drain(nr_command* command, int64_t idle_ns, int64_t max_ns);
/// "TERM:5s,KILL": NAME[@leader|group|everything][:PAUSE] separated by commas. "exec(nginx -s quit):10s,TERM:5s": a
/// script for /bin/sh that is run instead of a signal, see netrunner::Rung::run; it has the pid in NETRUNNER_PID.
void nr_command_ladder(nr_command* command, const char* text);
/// What happens to processes of the command that outlive its leader (stopped).
void nr_command_stragglers(nr_command* command, nr_stragglers policy);
void nr_command_output_limit(nr_command* command, uint64_t bytes, nr_at_limit policy);  ///< Per stream.
void nr_command_budget(nr_command* command, uint64_t bytes);  ///< Credit of all streams together.
void nr_command_grouping(nr_command* command, nr_grouping grouping, pid_t join_group);
void nr_command_umask(nr_command* command, mode_t mask);
void nr_command_nice(nr_command* command, int value);
/// setrlimit(2): RLIMIT_..., NR_UNLIMITED for none.
void nr_command_resource_limit(nr_command* command, int resource, uint64_t soft, uint64_t hard);

/// "user[:group]" by name or number, with the user's supplementary groups. Looked up now.
void nr_command_user(nr_command* command, const char* user_and_group);
/// By number, with exactly these supplementary groups.
void nr_command_identity(nr_command* command, uid_t uid, gid_t gid, const gid_t* groups, size_t count);
/// "net_bind_service,kill", "none", "all,-sys_admin": it has at most these, and these even where its user isn't root.
void nr_command_capabilities(nr_command* command, const char* keep);
void nr_command_no_new_privs(nr_command* command);
void nr_command_oom_score_adj(nr_command* command, int value);
void nr_command_cpus(nr_command* command, const int* cpus, size_t count);  ///< sched_setaffinity(2).
/// The largest chunk that a reader of this output gets; makes it a pipe.
void nr_command_chunk(nr_command* command, int stream, uint32_t bytes);
/// What waits to be read keeps the order in which it arrived, for nr_process_read_any; see netrunner::Command.
void nr_command_keep_order(nr_command* command);
void nr_command_shell_fallback(nr_command* command);  ///< A text file without #!: by /bin/sh, as execvp(3) does.
/// Exit codes that count as success (0 alone): nr_ended_success.
void nr_command_success_codes(nr_command* command, const int* codes, size_t count);

// ------------------------------------------------------------------------------------------------------ how it ended

typedef enum nr_status_kind {
  NR_EXITED,
  NR_SIGNALED,
  NR_UNKNOWN  ///< The helper died before it could tell.
} nr_status_kind;

typedef struct nr_exit_status {
  nr_status_kind kind;
  int code;          ///< NR_EXITED: what it exited with.
  int signal;        ///< NR_SIGNALED: what killed it.
  bool core_dumped;  ///< NR_SIGNALED.
} nr_exit_status;

/// Why it ended: the first cause, whatever the status became in consequence; netrunner::EndReason.
typedef enum nr_end_reason {
  NR_REASON_EXITED,        ///< By itself.
  NR_REASON_SIGNALED,      ///< By a signal that the engine didn't send.
  NR_REASON_DEADLINE,
  NR_REASON_IDLE,
  NR_REASON_OUTPUT_LIMIT,
  NR_REASON_STOPPED,       ///< nr_process_stop, nr_process_kill or nr_engine_close.
  NR_REASON_OWNER_GONE,    ///< Its handle was freed.
  NR_REASON_SHEPHERD_LOST, ///< The helper died; what was known of the command was killed.
  NR_REASON_OUT_OF_MEMORY, ///< The kernel's OOM killer, as the command's own memory group counts it.
  NR_REASON_CPU_TIME       ///< NR_LIMIT_CPU_TIME passed.
} nr_end_reason;

typedef enum nr_stream_end {
  NR_END_NONE,       ///< Not a pipe to this process.
  NR_END_FILE,       ///< End of file: every byte was delivered.
  NR_END_INHERITED,  ///< The drain budget ended; a descendant still held the pipe.
  NR_END_LIMIT,      ///< Stopped reading at the output limit.
  NR_END_TRUNCATED,  ///< End of file; bytes past the output limit were dropped and counted.
  NR_END_LOST,       ///< The helper died.
  NR_END_ABANDONED   ///< Nobody wanted the rest.
} nr_stream_end;

typedef struct nr_stream_summary {
  nr_stream_end end;
  uint64_t bytes;          ///< Read from the command, or written to it.
  uint64_t dropped_bytes;  ///< Read past the output limit; input that the command never read.
  uint64_t stalled_ns;     ///< How long without credit (output) or room (input).
} nr_stream_summary;

/// getrusage(2) of the leader and of the descendants that it waited for.
typedef struct nr_usage {
  uint64_t user_us, system_us;
  uint64_t max_rss_kib;
} nr_usage;

/// NR_UNKNOWN_COUNT: its cgroup doesn't count it.
typedef struct nr_tree_usage {
  bool cpu_of_whole_tree;  ///< nr_usage::user_us and system_us are of every process that it ever had.
  uint64_t memory_peak_bytes, pids_peak;
  uint64_t io_read_bytes, io_written_bytes;
} nr_tree_usage;
#define NR_UNKNOWN_COUNT UINT64_MAX

typedef struct nr_timeline {
  int64_t queued_ns;      ///< nr_spawn or nr_run was called.
  int64_t spawned_ns;     ///< The process exists.
  int64_t exec_ns;        ///< execve(2) is past its point of no return.
  int64_t first_byte_ns;  ///< First byte of output.
  int64_t exited_ns;      ///< The leader ended.
  int64_t drained_ns;     ///< Every output stream reached its end, or the drain budget ended.
  int64_t gone_ns;        ///< No process of it is left, as far as the containment sees.
} nr_timeline;

/// A process that still had an output pipe of the command open when the drain budget ended.
typedef struct nr_pipe_holder {
  int stream;     ///< NR_OUT, NR_ERR, or the number of an extra descriptor.
  pid_t pid;
  char name[16];  ///< comm of proc(5).
} nr_pipe_holder;
#define NR_HOLDERS_MAX 8

/// Everything about a command that has ended.
typedef struct nr_ended {
  size_t size;
  nr_exit_status status;
  nr_end_reason reason;
  pid_t pid;
  nr_usage usage;
  nr_timeline timeline;
  nr_stream_summary streams[3];  ///< NR_IN, NR_OUT, NR_ERR.
  uint32_t stragglers;           ///< Processes of it alive after the leader's exit.
  bool tree_empty;               ///< No process of it is left.
  nr_containment containment;
  bool success;                  ///< It exited by itself with a code that counts as success.
  uint32_t holder_count;
  nr_pipe_holder holders[NR_HOLDERS_MAX];
  nr_tree_usage tree;            ///< Of all its processes, as far as its cgroups count.
  uint64_t oom_kills;            ///< Processes of it that an OOM killer ended.
  uint32_t limits_not_applied;   ///< Limits that could not be had, with nr_command_limits_best_effort.
} nr_ended;
#define NR_ENDED_INIT NR_INIT_(nr_ended)

bool nr_ended_success(const nr_ended* ended);  ///< Its member `success`.
const char* nr_end_reason_name(nr_end_reason reason);
const char* nr_stream_end_name(nr_stream_end end);
const char* nr_containment_name(nr_containment containment);
/// "exited 3", "killed by SIGKILL (core dumped)", "unknown"; cut to `size` bytes with its NUL, as snprintf(3) does.
size_t nr_exit_status_text(const nr_exit_status* status, char* text, size_t size);

// --------------------------------------------------------------------------------------------------- run to the end

/// What is kept of each captured stream; all of it is read and counted.
typedef struct nr_capture_limits {
  size_t size;
  uint64_t head_bytes;  ///< From the start.
  uint64_t tail_bytes;  ///< From the end.
  bool interleaved;     ///< Besides, the order in which the bytes of both streams arrived: nr_completed_piece.
} nr_capture_limits;
#define NR_CAPTURE_LIMITS_INIT {sizeof(nr_capture_limits), 1048576, 65536, false}

/// How a command ended and what it wrote.
typedef struct nr_completed nr_completed;

/// The bytes end with a NUL that isn't counted; they live as long as their nr_completed.
typedef struct nr_captured {
  const char* head;      ///< All of it where nothing was cut.
  size_t head_bytes;
  const char* tail;      ///< The last bytes, where it was cut.
  size_t tail_bytes;
  uint64_t total_bytes;  ///< More than head_bytes + tail_bytes: it was cut.
} nr_captured;

/// Runs it to its end and blocks meanwhile; stdout and stderr are captured unless the command says otherwise. Any end
/// of the command is NR_OK; an error says that it could not be started. Bound it by nr_command_deadline.
/// `limits` may be NULL: 1 MiB and 64 KiB.
nr_code nr_run(nr_engine* engine, const nr_command* command, const nr_capture_limits* limits,
               nr_completed** completed, nr_error* error);
const nr_ended* nr_completed_ended(const nr_completed* completed);
nr_captured nr_completed_captured(const nr_completed* completed, int stream);  ///< NR_OUT or NR_ERR.
/// What both heads keep, in order of arrival, still told apart; nr_capture_limits.interleaved.
typedef struct nr_piece {
  int stream;        ///< NR_OUT or NR_ERR.
  const char* text;  ///< Without a NUL.
  size_t bytes;
} nr_piece;
size_t nr_completed_pieces(const nr_completed* completed);  ///< How many.
nr_piece nr_completed_piece(const nr_completed* completed, size_t index);  ///< Past the last: no bytes.
void nr_completed_free(nr_completed* completed);

// --------------------------------------------------------------------------------------------------------- process

/// A running command. Freed = stopped by its ladder, without blocking. Outlives its engine safely.
typedef struct nr_process nr_process;

typedef enum nr_target {
  NR_LEADER,     ///< The process that was started.
  NR_GROUP,      ///< Its process group.
  NR_EVERYTHING  ///< Every process that the command ever started, as far as its containment reaches.
} nr_target;

/// Blocks until exec has succeeded or the start has failed; the command's deadline bounds the start too.
nr_code nr_spawn(nr_engine* engine, const nr_command* command, nr_process** process, nr_error* error);

/// The leader's process id: for people. Signals go by nr_process_signal.
pid_t nr_process_pid(const nr_process* process);
/// Unique among the commands of its engine, for ever, and never 0: what events and lists call it.
uint64_t nr_process_id(const nr_process* process);

/// The next bytes of an output stream, as soon as there are any, at most `bytes_max` (1 or more). NR_OK with
/// *bytes_read == 0 is the end of output. A timeout loses nothing: the next read gets the bytes.
nr_code nr_process_read(nr_process* process, int stream, void* buffer, size_t bytes_max, int64_t timeout_ns,
                        size_t* bytes_read, nr_error* error);
/// The same of whichever output stream has bytes first; *stream says which. Nobody else may read one meanwhile.
nr_code nr_process_read_any(nr_process* process, int* stream, void* buffer, size_t bytes_max, int64_t timeout_ns,
                            size_t* bytes_read, nr_error* error);
/// Returns when all bytes are accepted: written, or in the bounded queue. *bytes_accepted (may be NULL) is how many
/// were, whatever is returned: go on from there after NR_TIMED_OUT. NR_BROKEN_PIPE: the command closed its stdin.
nr_code nr_process_write(nr_process* process, int stream, const void* bytes, size_t count, int64_t timeout_ns,
                         size_t* bytes_accepted, nr_error* error);
/// End of input after what is queued; returns when all of it was written, or the command closed it. Idempotent. The
/// order stands after a timeout. To a terminal its end-of-file character (^D) is typed.
nr_code nr_process_close_input(nr_process* process, int stream, int64_t timeout_ns, nr_error* error);
/// No more is wanted: what is queued is dropped, and the command gets SIGPIPE when it writes on. A terminal is hung up.
nr_code nr_process_close_output(nr_process* process, int stream, int64_t timeout_ns, nr_error* error);
/// One signal, in order with everything else; returns when it was sent. NR_ALREADY_EXITED, NR_PERMISSION_DENIED.
nr_code nr_process_signal(nr_process* process, int signal, nr_target target, int64_t timeout_ns, nr_error* error);

/// Orders a ladder (NULL: the command's own) and returns at once. A second stop may only shorten the first. Fails only
/// where the ladder's text can't be read.
nr_code nr_process_stop(nr_process* process, const char* ladder, nr_error* error);
void nr_process_kill(nr_process* process);  ///< SIGKILL to everything, at once.


/// Three facts, each may be awaited any number of times, also after the fact.
/// The leader ended. `status` may be NULL.
nr_code nr_process_exited(nr_process* process, int64_t timeout_ns, nr_exit_status* status, nr_error* error);
/// Each output stream reached its end, or the drain budget ended.
nr_code nr_process_drained(nr_process* process, int64_t timeout_ns, nr_error* error);
/// Nothing of it is left. An stdin that nobody wrote to is closed. Output isn't read: bytes that nobody reads hold the
/// command up until its deadline. `ended` may be NULL.
nr_code nr_process_wait(nr_process* process, int64_t timeout_ns, nr_ended* ended, nr_error* error);

/// Takes the handle: the command goes on by itself, without its pipes and deadlines, until it ends or the engine does.
void nr_process_detach(nr_process* process);
void nr_process_free(nr_process* process);

#ifdef __cplusplus
}
#endif

#include <netrunner/netrunner_adopted.h>
#include <netrunner/netrunner_limits.h>
#include <netrunner/netrunner_lines.h>
#include <netrunner/netrunner_stats.h>
#include <netrunner/netrunner_terminal.h>

#endif
