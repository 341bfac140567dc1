#pragma once
/// A shard that is kept busy, so that what is handed to it meanwhile waits; and coroutines that their owner destroys.

#include <atomic>
#include <coroutine>
#include <exception>
#include <thread>
#include <utility>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace tests {

/// A coroutine that starts at once and stays, wherever it is suspended, until its owner destroys it.
class OwnedFrame {
 public:
  struct promise_type {
    [[nodiscard]] OwnedFrame get_return_object() noexcept {
      return OwnedFrame(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_always final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
  OwnedFrame() = default;
  OwnedFrame(OwnedFrame&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
  OwnedFrame& operator=(OwnedFrame&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~OwnedFrame() { destroy(); }
  void destroy() {
    if (frame_) std::exchange(frame_, {}).destroy();
  }

 private:
  explicit OwnedFrame(std::coroutine_handle<> frame) noexcept : frame_(frame) {}
  std::coroutine_handle<> frame_;
};

/// Holds the thread of shard 0 from its making until let_go().
class BusyShard {
 public:
  explicit BusyShard(nr::Engine& engine) {
    hold(engine, *this);
    EXPECT_TRUE(eventually([this] { return held_.load(); }));
  }
  BusyShard(const BusyShard&) = delete;
  BusyShard& operator=(const BusyShard&) = delete;
  ~BusyShard() { let_go(); }
  void let_go() {
    go_ = true;
    EXPECT_TRUE(eventually([this] { return over_.load(); }));
  }

 private:
  static nr::detail::Detached hold(nr::Engine& engine, BusyShard& self) {
    (void)co_await engine.hop(0);
    self.held_ = true;
    while (!self.go_) std::this_thread::yield();
    self.over_ = true;
  }
  std::atomic<bool> held_ = false, go_ = false, over_ = false;
};

/// Runs `action` in the thread of shard 0; returns when it ran.
template <class Action>
void on_shard(nr::Engine& engine, Action action) {
  nr::blocking::get([](nr::Engine& there, Action& run) -> nr::Task<void> {
    (void)co_await there.hop(0);
    run();
  }(engine, action));
}

}  // namespace tests
