#pragma once

#include <cstdint>

#include <netrunner/error.hpp>

namespace netrunner::ring {

/// What the kernel says of an operation. See io_uring(7).
struct Completion {
  static constexpr std::uint32_t no_buffer = UINT32_MAX;
  std::int32_t result = 0;               ///< >= 0, or a negative errno.
  std::uint32_t buffer_id = no_buffer;   ///< The provided buffer that it used; end of file uses one too.
};

/// One operation of the kernel's, used again and again: idle -> in_flight -> idle, or in_flight -> cancelling -> idle.
/// What the kernel may touch belongs to it until its completion: its owner must not go before it is idle.
/// Owner: whoever embeds it. Thread: the ring's.
class Operation {
 public:
  using Complete = void (*)(void* owner, Completion completion);
  enum class State : std::uint8_t { idle, in_flight, cancelling };

  Operation(void* owner, Complete complete) noexcept : owner_(owner), complete_(complete) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() { NR_ASSERT(state_ == State::idle); }

  [[nodiscard]] bool idle() const noexcept { return state_ == State::idle; }
  [[nodiscard]] State state() const noexcept { return state_; }

 private:
  friend class Ring;
  void* owner_;
  Complete complete_;
  State state_ = State::idle;
};

}  // namespace netrunner::ring
