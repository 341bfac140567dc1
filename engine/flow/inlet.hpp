#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <netrunner/exit_status.hpp>
#include <netrunner/stats.hpp>

#include "engine/flow/chunk_queue.hpp"
#include "engine/flow/shared_flow.hpp"
#include "engine/flow/sink.hpp"
#include "engine/flow/stall_clock.hpp"
#include "engine/ring/write.hpp"

namespace netrunner::flow {

class Inlet;

/// Told of an inlet's life; must not destroy it from within.
class InletOwner {
 public:
  virtual void input_has_room(Inlet& inlet) = 0;
  virtual void input_ended(Inlet& inlet) = 0;
  virtual void input_stalled(Inlet& inlet) = 0;
  virtual void input_resumed(Inlet& inlet, std::uint64_t stalled_ns) = 0;

 protected:
  ~InletOwner() = default;
};

/// One input stream of a command: at most one write in flight, a queue of `window_bytes` at most, no more.
/// EPIPE is a normal end: what is left is dropped and counted.
/// Owner: one command's Child. Thread: its shard. Must be idle() before it is destroyed.
class Inlet final : private Waiter {
 public:
  Inlet(SharedFlow& flow, InletOwner& owner, Sink sink, Stream stream, std::uint64_t window_bytes);
  ~Inlet();

  /// Copies as much as there is room for; 0: none, input_has_room follows.
  [[nodiscard]] std::size_t accept(std::span<const std::byte> bytes);
  /// Input that was known in advance, then end of input; it must stay until this is idle and ended.
  void feed(std::span<const std::byte> bytes);
  /// End of input after what is queued.
  void close();
  /// End of input now: what is queued is dropped and counted.
  void abandon();

  [[nodiscard]] Stream stream() const noexcept { return stream_; }
  [[nodiscard]] bool ended() const noexcept { return !sink_.is_open(); }
  [[nodiscard]] bool closed_by_command() const noexcept { return broken_; }
  [[nodiscard]] bool closing() const noexcept { return closing_; }
  [[nodiscard]] bool was_used() const noexcept { return used_; }
  [[nodiscard]] bool idle() const noexcept { return write_.idle(); }
  [[nodiscard]] StreamStats stats() const;
  [[nodiscard]] StreamSummary summary() const;

 private:
  void chunk_is_free() override { owner_.input_has_room(*this); }
  [[nodiscard]] std::size_t write_at_once(std::span<const std::byte> bytes);
  void count(std::size_t written) noexcept;
  [[nodiscard]] ChunkSlot* room(std::size_t wanted);
  void go_on();
  void write_done(ring::Completion completion);
  void advance(std::size_t written);
  void drop_queue();
  void end();
  void stall();
  void end_stall();

  SharedFlow& flow_;
  InletOwner& owner_;
  Sink sink_;
  Stream stream_;
  std::uint64_t window_bytes_;
  ring::Write write_;
  ChunkQueue queue_;
  std::span<const std::byte> fed_;
  std::optional<std::byte> last_;         ///< Of what was accepted.
  std::span<const std::byte> farewell_;  ///< Of the sink, after all input.
  StallClock stall_;
  std::uint64_t queued_bytes_ = 0;
  std::uint64_t written_turn_ = UINT64_MAX;  ///< The turn of the last write at once.
  std::uint64_t bytes_ = 0, dropped_bytes_ = 0, operations_ = 0;
  bool closing_ = false, broken_ = false, used_ = false, input_over_ = false;
};

}  // namespace netrunner::flow
