#pragma once

#include <cstdint>

#include <netrunner/awaitable.hpp>

namespace netrunner::shard {

using detail::Verb;
using detail::VerbKind;

/// Verbs that wait for the same fact, in order.
class VerbList {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  void push(Verb& verb) noexcept;
  [[nodiscard]] Verb* pop() noexcept;
  /// True: it was here.
  bool remove(Verb& verb) noexcept;

 private:
  Verb *first_ = nullptr, *last_ = nullptr;
};

/// Verbs that are done, until their coroutines are resumed: never from within a callback, always from the turn
/// itself, so that what a coroutine does next finds every room at rest.
/// Owner: one shard. Thread: its own.
class VerbQueue {
 public:
  static constexpr std::uint32_t resumed_per_turn_max = 4096;

  /// Runs `handle(verb)`; true: it was done on the spot, nothing will be resumed.
  template <class Handle>
  [[nodiscard]] bool start(Verb& verb, Handle handle) {
    verb.state = Verb::State::under_way;
    Verb* const outer = starting_;
    starting_ = &verb;
    handle(verb);
    starting_ = outer;
    const bool done = verb.state == Verb::State::done;
    if (done) verb.handed_over = false;
    return done;
  }
  void complete(Verb& verb) noexcept;
  void fail(Verb& verb, Error error) noexcept;
  void fail(Verb& verb, ErrorCode code, const char* subject) noexcept;
  /// True: it was done and waited to be resumed; it won't be.
  bool withdraw(Verb& verb) noexcept { return done_.remove(verb); }
  [[nodiscard]] bool empty() const noexcept { return done_.empty(); }
  /// The next one that is done, null: none; whoever takes it delivers it.
  [[nodiscard]] Verb* next() noexcept { return done_.pop(); }
  static void deliver(Verb& verb) noexcept;
  /// Resumes those that are done; those that become done meanwhile too, up to a bound.
  void resume();

 private:
  Verb* starting_ = nullptr;
  VerbList done_;
};

}  // namespace netrunner::shard
