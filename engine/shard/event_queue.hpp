#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <netrunner/event.hpp>

namespace netrunner::shard {

/// Events of a shard from when they happen until they are told: never from within what happens, always from the turn
/// itself, so that a callback finds every room at rest. Its memory is used again: nothing is allocated per event.
/// Owner: the shard. Thread: its own.
class EventQueue {
 public:
  EventQueue(OnEvent all, std::uint32_t shard) noexcept : all_(std::move(all)), shard_(shard) {}

  [[nodiscard]] bool tells_all() const noexcept { return static_cast<bool>(all_); }
  /// `own`: the command's callback. `untold`: counts the events of the command that are here, so that it doesn't go
  /// before they were told. Both null: an event of the shard.
  void add(Event event, const OnEvent* own, std::uint32_t* untold);
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// Tells them, those that come meanwhile too, up to a bound. Not reentrant: a call from a callback does nothing.
  void tell();
  /// The shard is over: whatever comes is dropped.
  void close();
  [[nodiscard]] std::uint64_t told() const noexcept { return told_; }

 private:
  struct Entry {
    Event event;
    const OnEvent* own;
    std::uint32_t* untold;
  };

  OnEvent all_;
  std::uint32_t shard_;
  std::uint64_t sequence_ = 0, told_ = 0;
  std::vector<Entry> entries_, telling_;
  bool busy_ = false, closed_ = false;
};

}  // namespace netrunner::shard
