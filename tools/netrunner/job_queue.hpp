#pragma once
/// Between the items, which come when they come, and the slots, which ask when they are free.

#include <coroutine>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace netrunner::tool {

struct Item {
  std::uint64_t sequence = 0;  ///< 1, 2, 3, ...
  std::string text;
};

/// Bounds two things: how far items are read ahead, and how many jobs are under way or wait to be printed. So a
/// standard output that nobody reads, or a slow job whose turn it is with -k, stops the starting of jobs.
/// Any thread. A slot that waits is resumed in the thread that has what it waited for.
class JobQueue {
 public:
  struct Limits {
    std::size_t ahead_max;          ///< Items that wait for a slot.
    std::uint64_t outstanding_max;  ///< Jobs taken and not yet settled.
  };
  explicit JobQueue(Limits limits) : limits_(limits) {}

  /// Blocks while enough items wait. False: nobody wants one any more.
  [[nodiscard]] bool put(std::string text);
  /// There are no more items.
  void close();
  /// No item is handed out from now on.
  void stop();
  /// One that was taken was not begun, and will not be.
  void put_back();
  /// So many jobs that were taken need no room any more.
  void settle(std::uint64_t jobs);

  struct Figures {
    std::uint64_t taken = 0;
    std::optional<std::uint64_t> total;  ///< Known once close() was called.
    std::uint64_t not_taken = 0;         ///< Items that wait; after stop() for ever.
  };
  [[nodiscard]] Figures figures() const;

  /// `co_await queue.take()`: the next item; no value: there is none any more.
  class Take {
   public:
    explicit Take(JobQueue& queue) : queue_(queue) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    [[nodiscard]] bool await_suspend(std::coroutine_handle<> slot) {
      slot_ = slot;
      return queue_.wait_for(*this);
    }
    [[nodiscard]] std::optional<Item> await_resume() noexcept { return std::move(item_); }

   private:
    friend class JobQueue;
    JobQueue& queue_;
    std::coroutine_handle<> slot_;
    std::optional<Item> item_;
  };
  [[nodiscard]] Take take() { return Take(*this); }

 private:
  [[nodiscard]] bool wait_for(Take& take);
  [[nodiscard]] bool over() const { return stopped_ || (closed_ && items_.empty()); }
  void hand_out(std::vector<Take*>& served);
  static void resume(const std::vector<Take*>& served);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable room_;
  std::deque<Item> items_;
  std::deque<Take*> waiting_;
  std::uint64_t put_ = 0, taken_ = 0, outstanding_ = 0;
  bool closed_ = false, stopped_ = false, reader_waits_ = false;
};

}  // namespace netrunner::tool
