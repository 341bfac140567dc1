#pragma once
/// The engine: shards, each one thread with one io_uring, and a shepherd beside each.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <netrunner/adopted.hpp>
#include <netrunner/awaitable.hpp>
#include <netrunner/command.hpp>
#include <netrunner/event.hpp>
#include <netrunner/log.hpp>
#include <netrunner/pipeline.hpp>
#include <netrunner/process.hpp>
#include <netrunner/stats.hpp>
#include <netrunner/task.hpp>

namespace netrunner {

namespace detail {

/// Keeps what an Engine is made of, not the engine open, for somebody who comes back to its threads later. Any thread.
class CoreHold {
 public:
  explicit CoreHold(Core* core) noexcept;
  CoreHold(const CoreHold&) = delete;
  CoreHold& operator=(const CoreHold&) = delete;
  ~CoreHold();
  /// Engine::hop; when the engine has closed there is no such thread any more: done at once, where it is awaited.
  [[nodiscard]] Awaitable<void> hop(std::uint32_t shard) const noexcept;

 private:
  Core* core_;
};

}  // namespace detail

enum class Threads : std::uint8_t {
  /// A thread per shard. Where the one that opens has SCHED_OTHER they have SCHED_BATCH (since Linux 6.6; sched(7)), so
  /// that a shard that is woken doesn't take its caller's processor. Commands have the policy of the one that opens.
  own,
  foreign,  ///< None: the thread that called open() turns the one shard, from its own event loop.
};

struct EngineOptions {
  std::uint32_t shards = 0;                       ///< 0: one per core that this process may use. 64 at most.
  Threads threads = Threads::own;
  std::uint64_t window_bytes = 256 * KiB;         ///< Credit of a stream where Stdio::window says nothing.
  std::uint64_t command_budget_bytes = 1 * MiB;   ///< Credit of all streams of a command together.
  std::uint64_t shard_budget_bytes = 64 * MiB;    ///< Bytes that all streams of a shard may have in the host.
  std::uint32_t chunk_bytes = 64 * KiB;           ///< Largest read; a power of two from 4 KiB to 1 MiB.
  std::uint32_t pipe_bytes = 0;                   ///< F_SETPIPE_SZ for every pipe; 0: the kernel's default.
  std::uint32_t commands_max = 65536;             ///< Per shard; past it spawn gives limit_reached.
  bool asynchronous_spawn = true;                 ///< False: CLONE_VFORK, the shepherd sleeps in each exec.
  Nanoseconds close_max = std::chrono::seconds(10);  ///< Engine::close waits for so long, then it kills.
  /// How far "nothing is left running" reaches. automatic: a cgroup leaf per command where one can be made, else the
  /// subreaper sweep. cgroup and pid_namespace: an error by name where they can't be had.
  Containment containment = Containment::automatic;
  std::string shepherd_path{};                    ///< A shepherd in a file, where a memfd can't be executed.
  /// Whom commands may start as: spawn refuses others (permission_denied, stage uid), the engine's own user included
  /// where that isn't allowed. A program with the set-user-ID bit may still become another: Command::no_new_privs.
  bool refuse_root = false;                       ///< Nobody starts as uid 0.
  std::vector<uid_t> allowed_users{};             ///< Empty: every user.
  OnEvent on_event{};                             ///< Every event of every command, see <netrunner/event.hpp>.
  Logger logger{};                                ///< What an operator wants to know, see <netrunner/log.hpp>.
};

/// Output kept by a capture: the first and the last bytes, and how many there were.
struct Captured {
  std::string head;                ///< All of it where nothing was cut.
  std::string tail;                ///< The last bytes, where it was cut.
  std::uint64_t total_bytes = 0;
  [[nodiscard]] bool truncated() const noexcept { return head.size() + tail.size() != total_bytes; }
  [[nodiscard]] std::string text() const;  ///< head, a line that says how much is missing, tail.
};

enum class CaptureOrder : std::uint8_t {
  apart,        ///< Each stream by itself.
  interleaved,  ///< Besides, the order in which the bytes of both arrived: Completed::interleaved().
};

struct CaptureLimits {
  std::uint64_t head_bytes = 1 * MiB;  ///< Kept from the start, of each stream.
  std::uint64_t tail_bytes = 64 * KiB; ///< Kept from the end.
  CaptureOrder order = CaptureOrder::apart;  ///< Of a command; a pipeline has none.
};

/// So many bytes of one stream, between bytes of the other.
struct CapturedRun {
  Stream stream = Stream::out;
  std::uint32_t bytes = 0;
};

/// A run with its text: a view into Completed::out or err.
struct CapturedPiece {
  Stream stream = Stream::out;
  std::string_view text;
};

/// The result of run(): how it ended, and what it wrote.
struct Completed {
  Ended ended;
  Captured out, err;
  std::vector<CapturedRun> runs;  ///< CaptureOrder::interleaved: of what both heads keep, in order of arrival.
  [[nodiscard]] bool success() const noexcept { return ended.success(); }
  /// stdout and stderr in order of arrival, still told apart, as far as their heads go. The views live as long as this
  /// object stays unchanged where it is. Order is as Process::read_any has it.
  [[nodiscard]] std::vector<CapturedPiece> interleaved() const;
  /// Asked for, never forced: an error that names the command's end and quotes its last words on stderr.
  [[nodiscard]] Result<void> check() const;
};

struct PipelineCompleted {
  PipelineEnded ended;
  Captured out;               ///< stdout of the last stage.
  std::vector<Captured> err;  ///< stderr of each stage.
  [[nodiscard]] bool success() const noexcept { return ended.success(); }
};

/// What close() had to stop.
struct CloseReport {
  std::uint64_t stopped = 0;   ///< Commands that were running.
  std::uint64_t detached = 0;  ///< Of them, detached ones.
  std::uint64_t killed = 0;    ///< Of them, those whose ladder had not ended within close_max.
  bool complete = true;        ///< Everything is gone.
  std::optional<Error> error{};  ///< Set: this thread may not close the engine, and nothing was done.
};

/// Owner of all shards. Any thread may call; close() and the destructor only one at a time, and see there.
/// Needs Linux 6.1 (io_uring with DEFER_TASKRUN), see io_uring_setup(2). Not usable after fork(2): verbs then give
/// engine_closed, and the child must not destroy it but _exit or exec.
class Engine {
 public:
  [[nodiscard]] static Result<Engine> open(const EngineOptions& options = {});
  Engine(Engine&& other) noexcept;
  Engine& operator=(Engine&& other) noexcept;
  /// close(), and its report is dropped. On a thread of its own shards (in a coroutine that owns the engine) it can't
  /// wait: a thread that is made for it closes, and the destructor returns at once. With Threads::foreign and on
  /// another thread than the one that opened it: its commands are ended as if the host had, and its memory and
  /// descriptors are kept until the host ends.
  ~Engine();

  /// Starts a command; done when exec(2) has succeeded, or failed with an Error that names stage and subject.
  /// The call itself never blocks. Its arguments are checked at once; the environment is read now (setenv(3) in
  /// another thread races with it as with everything else).
  [[nodiscard]] Awaitable<Process> spawn(const Command& command);
  /// The same; `stop` triggered: the command's ladder runs, reason `stopped`. Before the start: `cancelled`.
  [[nodiscard]] Awaitable<Process> spawn(const Command& command, std::stop_token stop);
  [[nodiscard]] Task<Result<PipelineProcess>> spawn(Pipeline pipeline);

  /// Runs it to its end with bounded capture; stdout and stderr are captured unless the command says otherwise.
  [[nodiscard]] Task<Result<Completed>> capture(Command command, CaptureLimits limits = {}, std::stop_token stop = {});
  [[nodiscard]] Task<Result<PipelineCompleted>> capture(Pipeline pipeline, CaptureLimits limits = {});
  /// The same for a plain thread: blocks. Not on a shard's thread.
  [[nodiscard]] Result<Completed> run(const Command& command, CaptureLimits limits = {});
  [[nodiscard]] Result<PipelineCompleted> run(const Pipeline& pipeline, CaptureLimits limits = {});

  /// Takes care of a process that was started elsewhere: awaits its end, signals and stops it. Its number may be
  /// another process's by the time of this call; a pidfd can't be. Errors: not_found, permission_denied.
  [[nodiscard]] Awaitable<Adopted> adopt(pid_t pid);
  /// The same by its pidfd: borrowed, it is duplicated now.
  [[nodiscard]] Awaitable<Adopted> adopt_pidfd(int pidfd);

  /// Done after `duration`, or with engine_closed when the engine closes before. Resumes in the shard's thread that
  /// called it, else in that of any shard.
  [[nodiscard]] Awaitable<void> sleep(Nanoseconds duration);

  [[nodiscard]] Task<EngineStats> stats();
  /// The commands that have not ended, shard by shard, each shard at one moment. Usage is left out: ask the Process.
  [[nodiscard]] Task<std::vector<ProcessStats>> list();
  /// The command whose leader is this process; no value: none that has not ended.
  [[nodiscard]] Task<std::optional<ProcessStats>> find(pid_t pid);
  /// `co_await engine.hop(n)`: the coroutine goes on in the thread of shard n.
  [[nodiscard]] Awaitable<void> hop(std::uint32_t shard);

  /// Stops admitting, stops everything by its ladder, waits close_max at most, kills the rest, ends shards and
  /// shepherds. Verbs under way end with engine_closed, waits with their result. Idempotent.
  /// Refused (CloseReport::error, and nothing is closed) on a thread of its own shards, which it would wait for, and
  /// with Threads::foreign on any other thread than the one that opened it.
  CloseReport close();

  /// Threads::foreign: readable when turn() has work; level, for poll(2) or epoll(7). Owned by the engine.
  [[nodiscard]] int event_fd() const noexcept;
  /// Threads::foreign, on the thread that opened it: does what is to do, waiting at most `wait_max` for the first.
  void turn(Nanoseconds wait_max = Nanoseconds{0});

  [[nodiscard]] std::uint32_t shards() const noexcept;
  [[nodiscard]] detail::Core* core() const noexcept { return core_; }

 private:
  explicit Engine(detail::Core* core) noexcept : core_(core) {}
  detail::Core* core_ = nullptr;
};

}  // namespace netrunner
