#pragma once
/// Moments for coroutines: `co_await clock.pause(5ms)`, and orders that are given later.

#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include <netrunner/deadline.hpp>

namespace netrunner::tool {

/// One thread; what is due runs on it, so a coroutine goes on there until its next verb of a command.
/// Owner: a storm. What is still to come when it is destroyed never runs.
class StressClock {
 public:
  StressClock() : thread_([this] { run(); }) {}
  StressClock(const StressClock&) = delete;
  StressClock& operator=(const StressClock&) = delete;
  ~StressClock() {
    {
      const std::lock_guard guard(mutex_);
      over_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  class Pause {
   public:
    Pause(StressClock& clock, Nanoseconds length) : clock_(clock), length_(length) {}
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
      clock_.after(length_, [coroutine] { coroutine.resume(); });
    }
    void await_resume() const noexcept {}

   private:
    StressClock& clock_;
    Nanoseconds length_;
  };
  [[nodiscard]] Pause pause(Nanoseconds length) { return {*this, length}; }

  void after(Nanoseconds delay, std::function<void()> order) {
    const std::lock_guard guard(mutex_);
    orders_.emplace(std::chrono::steady_clock::now() + delay, std::move(order));
    changed_.notify_all();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      if (orders_.empty()) {
        changed_.wait(lock);
      } else if (const auto due = orders_.begin()->first; due > std::chrono::steady_clock::now()) {
        changed_.wait_until(lock, due);
      } else {
        const std::function<void()> order = std::move(orders_.begin()->second);
        orders_.erase(orders_.begin());
        lock.unlock();
        order();
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> orders_;
  bool over_ = false;
  std::thread thread_;
};

/// A coroutine that waits for others to arrive, on whatever threads they are.
class StressJoin {
 public:
  explicit StressJoin(std::size_t others) : missing_(others) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiter) {
    const std::lock_guard guard(mutex_);
    if (missing_ == 0) return false;
    waiter_ = waiter;
    return true;
  }
  void await_resume() const noexcept {}
  void arrive() {
    std::unique_lock lock(mutex_);
    const std::coroutine_handle<> waiter = --missing_ == 0 ? waiter_ : std::coroutine_handle<>();
    lock.unlock();  // The waiter may destroy this.
    if (waiter) waiter.resume();
  }

 private:
  std::mutex mutex_;
  std::size_t missing_;
  std::coroutine_handle<> waiter_;
};

}  // namespace netrunner::tool
