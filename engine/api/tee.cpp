#include <netrunner/tee.hpp>

#include <algorithm>
#include <coroutine>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace netrunner {
namespace {

/// All sinks of a tee, each given the same bytes at once; done when the last has dealt with them. They may end in any
/// thread, so the count is under a lock. A sink under way when this goes is destroyed at its suspension point.
class Sinks {
 public:
  Sinks(const std::vector<Sink>& sinks, std::vector<Result<void>>& outcomes)
      : sinks_(sinks), outcomes_(outcomes), running_(sinks.size()) {}
  Sinks(const Sinks&) = delete;
  Sinks& operator=(const Sinks&) = delete;
  ~Sinks() {
    for (const std::coroutine_handle<> sink : running_) {
      if (sink) sink.destroy();
    }
  }

  [[nodiscard]] bool any_left() const {
    return std::ranges::any_of(outcomes_, [](const Result<void>& outcome) { return outcome.has_value(); });
  }

  /// `co_await all.take(bytes)`.
  class Taken {
   public:
    Taken(Sinks& sinks, std::span<const std::byte> bytes) noexcept : sinks_(sinks), bytes_(bytes) {}
    [[nodiscard]] bool await_ready() { return sinks_.start(bytes_); }
    [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiter) { return sinks_.wait(waiter); }
    void await_resume() const noexcept {}

   private:
    Sinks& sinks_;
    std::span<const std::byte> bytes_;
  };
  [[nodiscard]] Taken take(std::span<const std::byte> bytes) noexcept { return {*this, bytes}; }

 private:
  /// Frees itself at its end, after it has said so: nobody else knows it any more then.
  struct Run {
    struct promise_type {
      promise_type(Sinks& sinks, std::size_t index, std::span<const std::byte>&) {
        sinks.running_[index] = std::coroutine_handle<promise_type>::from_promise(*this);
      }
      [[nodiscard]] Run get_return_object() const noexcept { return {}; }
      [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
      [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
      [[noreturn]] void unhandled_exception() const noexcept { std::abort(); }
      void return_void() const noexcept {}
    };
  };

  /// True: all are done already.
  bool start(std::span<const std::byte> bytes) {
    under_way_ = 1;  // This one, so that none of them sees the last one's count too early.
    for (std::size_t i = 0; i < sinks_.size(); ++i) {
      if (!outcomes_[i]) continue;
      {
        const std::lock_guard guard(mutex_);
        ++under_way_;
      }
      (void)run(*this, i, bytes);
    }
    const std::lock_guard guard(mutex_);
    return --under_way_ == 0;
  }

  static Run run(Sinks& self, std::size_t index, std::span<const std::byte> bytes) {
    Result<void> outcome = co_await self.sinks_[index](bytes);
    self.done(index, std::move(outcome));
  }

  void done(std::size_t index, Result<void> outcome) {
    std::coroutine_handle<> waiter;
    {
      const std::lock_guard guard(mutex_);
      outcomes_[index] = std::move(outcome);
      running_[index] = {};
      if (--under_way_ == 0) waiter = std::exchange(waiter_, {});
    }
    if (waiter) waiter.resume();
  }

  bool wait(std::coroutine_handle<> waiter) {
    const std::lock_guard guard(mutex_);
    if (under_way_ == 0) return false;
    waiter_ = waiter;
    return true;
  }

  const std::vector<Sink>& sinks_;
  std::vector<Result<void>>& outcomes_;
  std::vector<std::coroutine_handle<>> running_;
  std::mutex mutex_;
  std::size_t under_way_ = 0;
  std::coroutine_handle<> waiter_;
};

}  // namespace

Sink sink_into(Process& command, Stream stream) {
  return [&command, stream](std::span<const std::byte> bytes) -> Task<Result<void>> {
    if (bytes.empty()) co_return co_await command.close_input(stream);
    co_return co_await command.write(bytes, stream);
  };
}

Sink sink_into(std::string& text) {
  return [&text](std::span<const std::byte> bytes) -> Task<Result<void>> {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    co_return Result<void>();
  };
}

Task<Result<Teed>> tee(Process& process, std::vector<Sink> sinks, Stream stream) {
  Teed teed;
  teed.sinks.resize(sinks.size());
  Sinks all(sinks, teed.sinks);
  for (;;) {
    NR_CO_TRY(chunk, co_await process.read(stream));
    if (!chunk) break;
    teed.bytes += chunk->size();
    co_await all.take(chunk->bytes());
    if (all.any_left()) continue;
    NR_CO_TRY_VOID(co_await process.close_output(stream));
    break;
  }
  co_await all.take({});
  co_return teed;
}

}  // namespace netrunner
