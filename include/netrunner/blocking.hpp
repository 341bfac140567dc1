#pragma once
/// The same verbs for plain threads: each call blocks until the verb is done, or until a deadline.

#include <condition_variable>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/process.hpp>
#include <netrunner/task.hpp>

namespace netrunner::blocking {

namespace detail {

/// Set once by one thread, awaited by another.
class Signal {
 public:
  void set() {
    const std::lock_guard guard(mutex_);
    set_ = true;
    changed_.notify_all();  // Under the lock: the waiter may destroy this as soon as it has it.
  }
  [[nodiscard]] bool wait_until(Deadline deadline);
  void wait() { (void)wait_until(Deadline::never()); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

/// Runs the verb and blocks; past the deadline it is withdrawn with `timed_out`.
/// On a shard's own thread it would wait for itself: the error says so (invalid_argument).
void block_on(netrunner::detail::Verb& verb, Deadline deadline);
/// Blocks until `done` is set; turns the engine where this thread is the one that drives it.
void block_until(netrunner::detail::Core* core, Signal& done);

}  // namespace detail

/// The result of one verb.
template <class T>
[[nodiscard]] Result<T> get(Awaitable<T> verb, Deadline deadline = Deadline::never()) {
  detail::block_on(verb, deadline);
  return verb.await_resume();
}

namespace detail {

/// Starts the task in this thread; `wait(done)` returns when it has ended, in whatever thread.
template <class T, class Wait>
T run_to_end(Task<T> task, Wait wait) {
  Signal done;
  if constexpr (std::is_void_v<T>) {
    [](Task<T>& running, Signal& ended) -> netrunner::detail::Detached {
      co_await running;
      ended.set();
    }(task, done);
    wait(done);
  } else {
    std::optional<T> value;
    [](Task<T>& running, std::optional<T>& result, Signal& ended) -> netrunner::detail::Detached {
      result.emplace(co_await running);
      ended.set();
    }(task, value, done);
    wait(done);
    return std::move(*value);
  }
}

}  // namespace detail

/// Runs a task to its end, for an engine with threads of its own.
template <class T>
T get(Task<T> task) {
  return detail::run_to_end(std::move(task), [](detail::Signal& done) { done.wait(); });
}

/// The same for any engine: one with Threads::foreign is turned meanwhile, on the thread that opened it.
template <class T>
T get(Engine& engine, Task<T> task) {
  return detail::run_to_end(std::move(task),
                            [&engine](detail::Signal& done) { detail::block_until(engine.core(), done); });
}

[[nodiscard]] inline Result<Process> spawn(Engine& engine, const Command& command) {
  return get(engine.spawn(command));
}
[[nodiscard]] inline Result<std::optional<Chunk>> read(Process& process, Stream stream = Stream::out,
                                                       Deadline deadline = Deadline::never()) {
  return get(process.read(stream), deadline);
}
[[nodiscard]] inline Result<void> write(Process& process, std::string_view text,
                                        Deadline deadline = Deadline::never()) {
  return get(process.write(text), deadline);
}
[[nodiscard]] inline Result<void> close_input(Process& process) { return get(process.close_input()); }
[[nodiscard]] inline Result<Ended> wait(const Process& process, Deadline deadline = Deadline::never()) {
  return get(process.wait(), deadline);
}
/// All of a stream, to its end.
[[nodiscard]] Result<std::string> read_all(Process& process, Stream stream = Stream::out);

}  // namespace netrunner::blocking
