#pragma once
/// A verb under way: what `engine.spawn(...)`, `process.read(...)` and the rest return. `co_await` it in any
/// coroutine type, or hand it to nr::blocking::get.

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>

#include <netrunner/error.hpp>
#include <netrunner/kill_ladder.hpp>
#include <netrunner/letter.hpp>
#include <netrunner/stdio.hpp>
#include <netrunner/terminal.hpp>

namespace netrunner {

namespace detail {

class Core;
class Child;
class Adoption;
struct SpawnPlan;
struct LimitOrder;

enum class VerbKind : std::uint8_t {
  spawn, read, read_any, write, close_input, close_output, take_output, take_input, signal, exited, drained, ended,
  process_stats, shard_stats, shard_list, hop, timer, adopt, adopted_end, adopted_signal, resize, terminal_modes,
  set_limits, limits,
};

/// The part of a verb that a shard sees. It lives in the awaiting frame (or on the blocked stack) and is the
/// shard's from start() until `on_done` ran. One per suspended coroutine: no allocation, no lock.
class Verb : public Letter {
 public:
  enum class State : std::uint8_t {
    idle,
    posted,     ///< By another thread; the shard has not opened it.
    under_way,
    done,       ///< `on_done` has run, or is due.
  };

  Verb& operator=(const Verb&) = delete;

  VerbKind kind;
  State state = State::idle;          ///< As the shard sees it. Its thread's own, once started.
  bool handed_over = false;           ///< From start() until just before `on_done`: whoever destroys it asks this.
  Stream stream = Stream::out;
  Target target = Target::group;
  int number = 0;                     ///< A signal, or the process that is looked for.
  Core* core = nullptr;
  Child* child = nullptr;             ///< The command; null for verbs of the engine.
  Adoption* adoption = nullptr;       ///< The process that was started elsewhere. adopt: owned until the shard took it.
  std::span<const std::byte> input;   ///< write: what is left to accept.
  std::size_t bytes_max = 0;          ///< read: at most so much.
  WindowSize window;                  ///< resize: to this.
  SpawnPlan* plan = nullptr;          ///< spawn: owned until the shard took it.
  std::int64_t until_ns = 0;          ///< timer: CLOCK_MONOTONIC.
  bool of_taker = false;              ///< Of a Reader or Writer: the stream is theirs, not the Process's.
  LimitOrder* order = nullptr;        ///< set_limits: owned until the shard took it.
  std::uint32_t shard = 0;            ///< Where it runs.
  std::uint32_t request = 0;          ///< signal: its number among the command's.
  Verb* next_waiting = nullptr;       ///< Among those that wait for the same thing, or that are done.
  void (*on_done)(Verb&) noexcept = nullptr;  ///< Runs on the shard's thread, once; may destroy the verb.
  void* waiter = nullptr;             ///< Of `on_done`: the coroutine, or the blocked thread's signal.
  std::optional<Error> error;         ///< Set where the verb failed.

 protected:
  Verb(VerbKind what, Core* where, Child* whom) noexcept : kind(what), core(where), child(whom) {}
  Verb(const Verb&) = delete;
  Verb(Verb&& other) noexcept;  ///< Before it was started only.
  ~Verb();
};

/// Hands the verb to its shard. False: it is done already, `on_done` will not run. Any thread.
[[nodiscard]] bool start(Verb& verb) noexcept;
/// Takes back a verb that was handed over: when this returns, `on_done` will never run. Direct on the shard's own
/// thread; from another one it waits for the shard's next turn. Nothing is lost: bytes stay with the stream, or return
/// to its front.
void withdraw(Verb& verb) noexcept;
/// Asks the shard to complete the verb with `code` if it is still under way; on_done then runs as usual. Any thread.
void abandon(Verb& verb, ErrorCode code) noexcept;

}  // namespace detail

/// The result of a verb, awaited once. Not thread-safe itself; it resumes on the thread of the command's shard.
///
/// A suspended coroutine may be destroyed at any of these points: on the shard's thread at once, from another
/// thread only where the caller knows that it isn't being resumed. Nothing is left running for its sake.
template <class T>
class [[nodiscard]] Awaitable final : public detail::Verb {
 public:
  Awaitable(detail::VerbKind kind, detail::Core* core, detail::Child* child) noexcept : Verb(kind, core, child) {}
  Awaitable(Awaitable&&) noexcept = default;
  /// Handed over still (its coroutine is being destroyed): withdrawn while the shard may write `value`.
  ~Awaitable() {
    if (handed_over) detail::withdraw(*this);
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> coroutine) noexcept {
    waiter = coroutine.address();
    on_done = [](detail::Verb& verb) noexcept { std::coroutine_handle<>::from_address(verb.waiter).resume(); };
    return detail::start(*this);
  }
  [[nodiscard]] Result<T> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(*value);
    }
  }

  struct Nothing {};
  std::optional<std::conditional_t<std::is_void_v<T>, Nothing, T>> value;  ///< Set by the shard.
};

}  // namespace netrunner
