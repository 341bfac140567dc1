#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <netrunner/error.hpp>

namespace netrunner::reactor {

/// A deadline in user space: 100,000 kernel timeouts would cost milliseconds per update.
/// Owner: whoever embeds it. Thread: its reactor's.
class Timer {
 public:
  using Fire = void (*)(void* owner);
  Timer(void* owner, Fire fire) noexcept : owner_(owner), fire_(fire) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { NR_ASSERT(!armed()); }
  [[nodiscard]] bool armed() const noexcept { return place_ != nowhere; }
  [[nodiscard]] std::int64_t at_ns() const noexcept { return at_ns_; }

 private:
  friend class Timers;
  static constexpr std::size_t nowhere = SIZE_MAX;
  void* owner_;
  Fire fire_;
  std::int64_t at_ns_ = 0;  ///< CLOCK_MONOTONIC.
  std::size_t place_ = nowhere;
};

/// A binary heap of timers, the nearest first; each knows its place, so that disarming costs no search.
class Timers {
 public:
  /// Arms it, or moves it. INT64_MAX: disarms.
  void arm(Timer& timer, std::int64_t at_ns);
  void disarm(Timer& timer) noexcept;
  /// Fires those that are due, once each. A timer may arm or disarm any other, and itself.
  void fire_due(std::int64_t now_ns);
  [[nodiscard]] std::int64_t next_ns() const noexcept { return heap_.empty() ? INT64_MAX : heap_.front()->at_ns_; }
  [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

 private:
  void put(std::size_t place, Timer* timer) noexcept;
  void rise(std::size_t place) noexcept;
  void sink(std::size_t place) noexcept;
  std::vector<Timer*> heap_;
};

}  // namespace netrunner::reactor
