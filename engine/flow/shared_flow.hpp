#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include <netrunner/error.hpp>

#include "engine/flow/chunk_pool.hpp"
#include "engine/flow/limits.hpp"
#include "engine/reactor/reactor.hpp"

namespace netrunner::flow {

/// A stream that wants a turn; at most once in the queue.
class Turn {
 public:
  Turn() = default;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  virtual void take_turn() = 0;

 protected:
  ~Turn() { NR_ASSERT(!queued_); }

 private:
  friend class SharedFlow;
  Turn *previous_ = nullptr, *next_ = nullptr;
  bool queued_ = false;
};

/// What all streams of a shard share: two pools (bulk, and a floor of small chunks for streams that hold nothing),
/// and the run queue that gives each stream one buffer per turn, because the order of completions is not fair.
/// Owner: one shard. Thread: its own.
class SharedFlow {
 public:
  struct Options {
    std::uint64_t budget_bytes = 0;
    std::uint32_t chunk_bytes = 0;
    void* home = nullptr;
    void (*open)(detail::Letter&) noexcept = nullptr;
  };
  [[nodiscard]] static Result<std::unique_ptr<SharedFlow>> open(reactor::Reactor& reactor, const Options& options);

  void queue(Turn& turn) noexcept;
  void unqueue(Turn& turn) noexcept;
  /// Gives up to reads_per_turn_max streams their turn. True: others still wait.
  bool run_turns();
  [[nodiscard]] bool has_turns() const noexcept;
  /// The ring goes; chunks may still come home.
  void close_ring() noexcept {
    bulk_->close_ring();
    small_->close_ring();
  }

  /// Serves one that waits for it; the next turns serve others, as long as there is something for them.
  void put_back(ChunkSlot& slot);
  /// What a stream waits for. Those that hold nothing take any chunk and go first, readers and writers by turns: what
  /// is offered to the kernel a reader can have, a writer can't.
  enum class Need : std::uint8_t { first_read, first_write, more_small, more_bulk };
  /// There was no chunk for it.
  void park(Waiter& waiter, Need need) noexcept {
    line(need).join(waiter);
    line(need).chunks_are_out();
  }
  [[nodiscard]] std::size_t parked() const noexcept;
  /// A stream that holds some already may take so many more: a floor of the budget is kept for those with none.
  [[nodiscard]] bool may_take_more(std::uint64_t bytes) const noexcept {
    return out_bytes() + bytes <= budget_bytes_ - floor_bytes_;
  }
  /// A few bytes in a large chunk, moved to a small one, if there is one: readers may keep them for long. `alone`: no
  /// others will be put behind them. While large ones are scarce, all that fits a small one is moved.
  [[nodiscard]] ChunkSlot& shrunk(ChunkSlot& slot, bool alone);
  [[nodiscard]] ring::Ring& ring() noexcept { return reactor_->ring(); }
  [[nodiscard]] std::int64_t now_ns() const noexcept { return reactor_->now_ns(); }
  [[nodiscard]] std::uint64_t turn() const noexcept { return reactor_->turns(); }
  /// So little happens that a system call for one stream costs less than a completion for it.
  [[nodiscard]] bool is_quiet() const noexcept { return reactor_->completions_of_turn() <= quiet_completions_max; }
  [[nodiscard]] ChunkPool& bulk() noexcept { return *bulk_; }
  [[nodiscard]] ChunkPool& small() noexcept { return *small_; }
  [[nodiscard]] ChunkPool& pool(std::uint8_t index) noexcept { return index == bulk_index ? *bulk_ : *small_; }

  void hold(std::uint64_t bytes) noexcept {
    buffered_bytes += bytes;
    buffered_bytes_peak = std::max(buffered_bytes_peak, buffered_bytes);
  }
  void release(std::uint64_t bytes) noexcept {
    NR_ASSERT(bytes <= buffered_bytes);
    buffered_bytes -= bytes;
  }
  [[nodiscard]] std::uint64_t budget_bytes() const noexcept { return budget_bytes_; }
  [[nodiscard]] std::uint32_t chunks_out() const noexcept { return bulk_->out() + small_->out() + pieces_out; }

  std::uint64_t buffered_bytes = 0, buffered_bytes_peak = 0;
  std::uint64_t no_buffer_completions = 0;
  std::uint64_t read_bytes = 0, reads = 0, written_bytes = 0, writes = 0;
  std::uint64_t stalls = 0, stalled_ns = 0;  ///< Of those that have gone on.
  std::uint32_t reads_armed = 0;  ///< In either pool; says how many buffers to offer.
  std::uint32_t pieces_out = 0;   ///< Slots with memory of their own.

 private:
  static constexpr std::uint8_t bulk_index = 0, small_index = 1;
  SharedFlow(reactor::Reactor& reactor, std::uint64_t budget_bytes) noexcept
      : reactor_(&reactor), budget_bytes_(budget_bytes), allowance_(budget_bytes) {}
  reactor::Reactor* reactor_;
  std::uint64_t budget_bytes_, floor_bytes_ = 0;
  Allowance allowance_;
  [[nodiscard]] Line& line(Need need) noexcept { return lines_[static_cast<std::size_t>(need)]; }
  [[nodiscard]] const Line& line(Need need) const noexcept { return lines_[static_cast<std::size_t>(need)]; }
  [[nodiscard]] std::uint64_t out_bytes() const noexcept {
    return std::uint64_t{bulk_->out()} * bulk_->chunk_bytes() + std::uint64_t{small_->out()} * small_->chunk_bytes();
  }
  [[nodiscard]] std::uint64_t servings(Need need) const noexcept;
  void serve(std::uint64_t most);
  void serve(Need need, std::uint64_t most);

  std::array<Line, 4> lines_;  ///< By Need.
  bool writer_is_next_ = false;
  std::unique_ptr<ChunkPool> bulk_, small_;
  Turn *first_ = nullptr, *last_ = nullptr;
};

}  // namespace netrunner::flow
