#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <netrunner/chunk.hpp>
#include <netrunner/letter.hpp>

#include "engine/ring/buffer_ring.hpp"

namespace netrunner::flow {

class Outlet;
class Waiter;

}  // namespace netrunner::flow

namespace netrunner::detail {

/// One buffer of a pool (or, where a reader asked for less than there was, a piece of its own memory).
/// The letter carries it home from another thread.
struct ChunkSlot : Letter {
  void* home = nullptr;               ///< The shard, as the letter's reader knows it.
  flow::Outlet* outlet = nullptr;     ///< Whose window its bytes count against; null: nobody's any more.
  ChunkSlot* next_in_queue = nullptr;
  ChunkSlot* previous_held = nullptr; ///< Among those of the same outlet that the consumer has.
  ChunkSlot* next_held = nullptr;
  std::byte* memory = nullptr;
  std::uint32_t capacity = 0;
  std::uint32_t begin = 0, end = 0;   ///< The bytes that are valid.
  std::uint64_t arrival = 0;          ///< Among those of all streams of the command.
  std::uint16_t id = 0;
  std::uint8_t pool = 0;              ///< Which pool of its shard; `no_pool`: memory of its own.
  static constexpr std::uint8_t no_pool = UINT8_MAX;

  [[nodiscard]] std::uint32_t size() const noexcept { return end - begin; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {memory + begin, size()}; }
};

}  // namespace netrunner::detail

namespace netrunner::flow {

using detail::ChunkSlot;

/// Someone who waits for a chunk; at most once in a line.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  [[nodiscard]] bool waiting() const noexcept { return line_ != nullptr; }
  virtual void chunk_is_free() = 0;

 protected:
  ~Waiter() { NR_ASSERT(!waiting()); }

 private:
  friend class Line;
  class Line* line_ = nullptr;
  Waiter *previous_ = nullptr, *next_ = nullptr;
};

/// First come, first served; leaving costs no search. All who stand in it can use the same chunks: one who finds none
/// says so for all, until the next comes back. Whoever is served and has no use for a chunk says nothing, and the next
/// one has his turn.
class Line {
 public:
  /// Who is in it already keeps his place; who is in another leaves that.
  void join(Waiter& waiter) noexcept;
  static void leave(Waiter& waiter) noexcept;
  void serve_one();
  void chunk_came_back() noexcept { hopeful_ = true; }
  void chunks_are_out() noexcept { hopeful_ = false; }
  /// Somebody waits, and nobody has found out that there is nothing for him.
  [[nodiscard]] bool hopeful() const noexcept { return hopeful_ && size_ > 0; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  Waiter *first_ = nullptr, *last_ = nullptr;
  std::size_t size_ = 0;
  bool hopeful_ = false;
};

/// What both pools of a shard may have in memory together. Free chunks count as long as their pages are there.
class Allowance {
 public:
  explicit Allowance(std::uint64_t bytes) noexcept : free_(bytes) {}
  [[nodiscard]] bool take(std::uint64_t bytes) noexcept {
    if (bytes > free_) return false;
    free_ -= bytes;
    return true;
  }
  void give(std::uint64_t bytes) noexcept { free_ += bytes; }

 private:
  std::uint64_t free_;
};

/// Buffers of one size. Some are offered to the kernel, which picks one when data is there, so that an idle stream
/// holds none; the rest is a stack, the most recently freed on top. Grows in slabs up to its bound, and warms a chunk
/// (its pages come to be) only within the allowance that it shares with the other pool.
/// Owner: one shard. Thread: the shard's.
class ChunkPool {
 public:
  struct Options {
    std::uint8_t index = 0;          ///< Of the pool in its shard; also the kernel's buffer group.
    void* home = nullptr;            ///< What ChunkSlot::home says.
    void (*open)(detail::Letter&) noexcept = nullptr;  ///< Brings a slot home.
    std::uint32_t chunk_bytes = 0;
    std::uint32_t chunks_max = 0;
    Allowance* allowance = nullptr;
  };
  [[nodiscard]] static Result<std::unique_ptr<ChunkPool>> open(ring::Ring& ring, const Options& options);
  ~ChunkPool();

  /// Makes sure that the kernel has about as many buffers as `reads` may need at once. False: it has none at all.
  [[nodiscard]] bool offer(std::uint32_t reads);
  /// The buffer that a completion names is no longer the kernel's.
  [[nodiscard]] ChunkSlot& picked(std::uint32_t buffer_id);
  /// A free chunk for us to fill; null: none is left.
  [[nodiscard]] ChunkSlot* take();
  void put_back(ChunkSlot& slot);
  /// Gives the pages of a free chunk back to the kernel and their bytes to the allowance. False: none is free.
  bool cool_one();
  void set_other(ChunkPool* other) noexcept { other_ = other; }
  /// No more reads: the kernel gives its buffers up.
  void close_ring() noexcept { buffers_.reset(); }

  [[nodiscard]] std::uint32_t chunk_bytes() const noexcept { return options_.chunk_bytes; }
  [[nodiscard]] std::uint32_t bound() const noexcept { return options_.chunks_max; }
  [[nodiscard]] std::uint16_t group() const noexcept { return options_.index; }
  /// Memory of the chunks that are or were used and not cooled.
  [[nodiscard]] std::uint64_t warm_bytes() const noexcept;
  /// Chunks that are neither free nor offered.
  [[nodiscard]] std::uint32_t out() const noexcept { return out_; }

 private:
  struct Slab;
  ChunkPool(const Options& options, ring::BufferRing buffers);
  [[nodiscard]] bool grow();
  [[nodiscard]] bool warm_one();
  [[nodiscard]] ChunkSlot* pop_free();

  Options options_;
  std::optional<ring::BufferRing> buffers_;
  std::vector<Slab> slabs_;
  std::vector<ChunkSlot*> by_id_;
  std::vector<ChunkSlot*> free_;  ///< Warm.
  std::vector<ChunkSlot*> cold_;  ///< Never touched, or cooled.
  ChunkPool* other_ = nullptr;    ///< Cools its free chunks where the allowance is used up.
  std::uint32_t offered_ = 0;
  std::uint32_t out_ = 0;
};

}  // namespace netrunner::flow
