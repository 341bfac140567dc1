#pragma once
/// A running command. Dropped = stopped by its ladder, without blocking.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netrunner/awaitable.hpp>
#include <netrunner/chunk.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/process_stream.hpp>
#include <netrunner/stats.hpp>
#include <netrunner/terminal.hpp>

namespace netrunner {

/// Bytes, and where they came from.
struct StreamChunk {
  Stream stream = Stream::out;
  Chunk chunk;
};

/// Owner of one command. Move-only; may be used and dropped in any thread, one verb per stream at a time.
/// Outlives its Engine safely: verbs then give `engine_closed`, and wait() still gives the result.
///
/// A terminal is hung up when the handle is dropped, as the ladder begins, and by detach: its session's leader gets
/// SIGHUP, and who reads it or writes to it gets end of file and EIO, as when the line is cut.
///
/// Three facts, each awaitable any number of times, also after the fact: exited (the leader ended), drained (each
/// output stream reached its end or the drain budget ended), and ended (nothing of it is left).
class Process {
 public:
  Process() noexcept = default;
  Process(detail::Core* core, detail::Child* child, pid_t pid, std::uint64_t id) noexcept
      : core_(core), child_(child), pid_(pid), id_(id) {}
  Process(Process&& other) noexcept
      : core_(other.core_), child_(std::exchange(other.child_, nullptr)), pid_(other.pid_), id_(other.id_) {}
  Process& operator=(Process&& other) noexcept {
    Process taken(std::move(other));
    std::swap(core_, taken.core_);
    std::swap(child_, taken.child_);
    std::swap(pid_, taken.pid_);
    std::swap(id_, taken.id_);
    return *this;
  }
  ~Process();

  [[nodiscard]] explicit operator bool() const noexcept { return child_ != nullptr; }
  /// The leader's process id, as the host sees it. A number for people: signals go by `signal`.
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Unique among the commands of its Engine, for ever: what events, lists and log lines call it. Never 0.
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

  /// The next bytes of an output stream, at most `bytes_max`; no value: end of output. Bytes come in order, none is
  /// lost. Errors: not_a_pipe, stream_busy.
  [[nodiscard]] Awaitable<std::optional<Chunk>> read(Stream stream = Stream::out, std::size_t bytes_max = SIZE_MAX);

  /// The next bytes of whichever output stream has some, the earliest first; no value: all have ended. While it waits
  /// nobody else may read one of them (stream_busy). "Earliest" is as the engine read the pipes: what a command wrote
  /// to two of them within microseconds has no order that anybody could know (Stdio::merge is the kernel's own order,
  /// untold apart), and what has not been taken yet is told apart as closely only with Command::keep_order.
  [[nodiscard]] Awaitable<std::optional<StreamChunk>> read_any(std::size_t bytes_max = SIZE_MAX);

  /// Done when all bytes are accepted (written, or in the bounded queue). `bytes` must live until then.
  /// Errors: broken_pipe (the command closed its stdin: a normal end of writing), not_a_pipe, stream_busy.
  [[nodiscard]] Awaitable<void> write(std::span<const std::byte> bytes, Stream stream = Stream::in);
  [[nodiscard]] Awaitable<void> write(std::string_view text, Stream stream = Stream::in) {
    return write(std::as_bytes(std::span(text)), stream);
  }

  /// End of input, after what is queued; done when all of it was written (or the command closed it). Idempotent.
  /// To a terminal the host then types its end-of-file character (VEOF, ^D; twice after an unfinished line). It means
  /// the end in canonical mode, and whatever the command makes of it in another; nothing can be written after it.
  [[nodiscard]] Awaitable<void> close_input(Stream stream = Stream::in);
  /// The reader wants no more: the pipe is closed, what is queued is dropped and counted, the command gets SIGPIPE
  /// when it writes on. Done when the pipe is closed. A terminal is hung up: SIGHUP to the command, see below.
  [[nodiscard]] Awaitable<void> close_output(Stream stream = Stream::out);

  /// Hands an output stream to another owner: from then on only the Reader reads and closes it, wherever it is moved
  /// to, and it may outlive this handle. Errors: not_a_pipe; stream_busy (a verb is under way on it, or it was taken).
  [[nodiscard]] Awaitable<Reader> take(Stream stream = Stream::out);
  /// The same for an input stream.
  [[nodiscard]] Awaitable<Writer> take_input(Stream stream = Stream::in);

  /// Sends one signal, in order with everything else. Errors: already_exited, permission_denied.
  [[nodiscard]] Awaitable<void> signal(int number, Target target = Target::group);

  /// The size of its terminal; where it is another than before, the foreground group gets SIGWINCH.
  /// Errors: already_exited (nothing was touched); invalid_argument: no row or column, or it has no terminal.
  [[nodiscard]] Awaitable<void> resize(WindowSize size);
  /// All modes of its terminal, as they are now. Errors as of resize.
  [[nodiscard]] Awaitable<TerminalModes> terminal_modes();
  /// Changes those that are named, at once (TCSANOW of tcsetattr(3)), and gives all modes as they are then: a mode that
  /// a pseudo-terminal can't have stays as it was.
  [[nodiscard]] Awaitable<TerminalModes> set_terminal_modes(TerminalModes changes);

  /// Orders the command's ladder (or another) and returns at once. A second stop may only shorten the first. Another
  /// ladder's commands (Rung::run) get directory and environment as of now; one that is wrong counts as one that can't
  /// be executed.
  void stop() const;
  void stop(const KillLadder& ladder) const;
  void kill() const { stop(KillLadder::at_once()); }

  [[nodiscard]] Awaitable<ExitStatus> exited() const;
  [[nodiscard]] Awaitable<void> drained() const;
  /// The whole result, when nothing of the command is left. An stdin that nobody wrote to is closed, so that `cat`
  /// ends (a pipe; at a terminal somebody may type at any time). Output is not read: bytes that nobody reads hold the
  /// command up, until its deadline; after its exit they delay this by Drain::max at most, and stay readable.
  [[nodiscard]] Awaitable<Ended> wait() const;

  /// Its figures now, or its last ones. Reads proc(5) for the usage: some ten microseconds of the shard's thread.
  [[nodiscard]] Awaitable<ProcessStats> stats() const;

  /// Changes limits of the running command; those that are not set in `limits` stay. Only of controllers that it has a
  /// group of: v2 gives all of them as soon as it was started with any limit of a controller, v1 the ones of that
  /// controller (`Limits::unlimited` will do). Lowering memory_max below what is in use reclaims, which may take long
  /// (nobody else waits for it), and then kills. Done when the kernel has taken all of them; with best_effort it tells
  /// of each. Errors: limit_unavailable, already_exited; the subject is the limit.
  [[nodiscard]] Awaitable<std::vector<LimitOutcome>> set_limits(const Limits& limits,
                                                                LimitPolicy policy = LimitPolicy::required);
  /// What the kernel's files of the command's groups say now; nothing set where it was started without limits.
  [[nodiscard]] Awaitable<Limits> limits() const;

  /// The only way to outlive the owner: the command goes on by itself. Its pipes to the host are closed; its
  /// deadlines end with the handle. It still ends with the engine's host, as everything does.
  void detach() &&;

 private:
  detail::Core* core_ = nullptr;
  detail::Child* child_ = nullptr;
  pid_t pid_ = 0;
  std::uint64_t id_ = 0;
};

}  // namespace netrunner
