#pragma once
/// What happens to commands, as it happens: one ordered stream per shard, for logs, audits and dashboards.

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <sys/types.h>
#include <type_traits>
#include <utility>

#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>

namespace netrunner {

/// What a command goes through comes in this order, each once at most: queued; then start_failed, or spawned and exec;
/// exited; drained; gone. The kinds from output to signal come between exec and gone, as they happen (a limit or a stop
/// that prevents the start: before start_failed).
enum class EventKind : std::uint8_t {
  queued,            ///< Its shard has it. What was refused before (invalid_argument, limit_reached) has no events.
  spawned,           ///< The process exists.
  exec,              ///< execve(2) is past its point of no return.
  start_failed,      ///< `error` says why: the last event of this command.
  output,            ///< `bytes` were read from `stream`, `total_bytes` with them.
  stalled,           ///< `stream` stands still: for want of credit (its reader is slow), or of room (an input: it is).
  resumed,           ///< It goes on, after `stalled_ns`.
  limit,             ///< A limit was passed, `reason` says which; its ladder begins (out_of_memory: it is dead).
  stop,              ///< It was asked to end, `reason` says by whom (stopped, owner_gone); its ladder begins.
  signal,            ///< `signal` was sent: a rung of the ladder, or by Process::signal.
  exited,            ///< The leader ended, with `status`.
  drained,           ///< Every output stream reached its end, or the drain budget ended.
  gone,              ///< `ended` is the whole result: the last event of this command.
  shepherd_started,  ///< Of the shard (command 0): `pid` is its shepherd's.
  shepherd_lost,     ///< Of the shard: the shepherd `pid` died; its commands end with shepherd_lost.
  stop_command,      ///< A rung of the ladder has run a command, or could not: `stop_command`. Between exec and gone.
};
[[nodiscard]] std::string_view name_of(EventKind kind) noexcept;

/// One event. Its views and pointers live during the callback only.
struct Event {
  EventKind kind = EventKind::queued;
  std::uint32_t shard = 0;
  /// Within the shard: the order in which they are told. EngineOptions::on_event sees 1, 2, 3... without a gap.
  std::uint64_t sequence = 0;
  std::int64_t at_ns = 0;       ///< CLOCK_MONOTONIC, when it happened, by the clock of whoever saw it.
  std::uint64_t command = 0;    ///< Process::id(); 0: an event of the shard itself.
  pid_t pid = 0;                ///< The leader's; 0: there is none yet.
  std::string_view program;     ///< As the Command has it.
  Stream stream = Stream::out;  ///< output, stalled, resumed.
  std::uint64_t bytes = 0, total_bytes = 0;
  std::uint64_t stalled_ns = 0;
  EndReason reason = EndReason::exited;  ///< limit, stop, gone.
  SignalSent signal;
  const StopCommandRun* stop_command = nullptr;  ///< stop_command.
  ExitStatus status = Unknown{};   ///< exited, gone.
  const Error* error = nullptr;    ///< start_failed.
  const Ended* ended = nullptr;    ///< gone.
};

/// A callback for events; copies share it, and are equal. Empty: nothing is told, at no cost but a branch.
///
/// It runs on the thread of the command's shard, at the end of a turn, in order: before whoever awaits the same fact
/// goes on. With several shards it is called from several threads, for one command always from the same one. Every
/// room of the shard is at rest: it may start verbs, stop, signal or drop any Process. It must not block (the shard
/// stands still meanwhile), throw, or close the Engine; a blocking verb in it is an error (EDEADLK).
class OnEvent {
 public:
  OnEvent() noexcept = default;
  template <std::invocable<const Event&> Callback>
    requires(!std::same_as<std::remove_cvref_t<Callback>, OnEvent>)
  OnEvent(Callback&& callback)  // NOLINT(google-explicit-constructor): a lambda is to be enough.
      : callback_(std::make_shared<const std::function<void(const Event&)>>(std::forward<Callback>(callback))) {}

  [[nodiscard]] explicit operator bool() const noexcept { return callback_ != nullptr; }
  void operator()(const Event& event) const { (*callback_)(event); }
  friend bool operator==(const OnEvent&, const OnEvent&) = default;

 private:
  std::shared_ptr<const std::function<void(const Event&)>> callback_;
};

}  // namespace netrunner
