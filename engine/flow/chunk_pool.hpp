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

/// First come, first served; leaving costs no search.
class Line {
 public:
  void join(Waiter& waiter) noexcept;
  static void leave(Waiter& waiter) noexcept;
  void serve_one();
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  Waiter *first_ = nullptr, *last_ = nullptr;
  std::size_t size_ = 0;
};

/// Buffers of one size. Some are offered to the kernel, which picks one when data is there, so that an idle stream
/// holds none; the rest is a stack, the most recently freed on top. Grows in slabs up to its bound.
/// Owner: one shard. Thread: the shard's.
class ChunkPool {
 public:
  struct Options {
    std::uint8_t index = 0;          ///< Of the pool in its shard; also the kernel's buffer group.
    void* home = nullptr;            ///< What ChunkSlot::home says.
    void (*open)(detail::Letter&) noexcept = nullptr;  ///< Brings a slot home.
    std::uint32_t chunk_bytes = 0;
    std::uint32_t chunks_max = 0;
  };
  [[nodiscard]] static Result<std::unique_ptr<ChunkPool>> open(ring::Ring& ring, const Options& options);
  ~ChunkPool();

  /// Makes sure that the kernel has about as many buffers as `reads` may need at once. False: it has none at all.
  [[nodiscard]] bool offer(std::uint32_t reads);
  /// The buffer that a completion names is no longer the kernel's.
  [[nodiscard]] ChunkSlot& picked(std::uint32_t buffer_id);
  /// A free chunk for us to fill; null: none is left.
  [[nodiscard]] ChunkSlot* take();
  /// Serves the next in line.
  void put_back(ChunkSlot& slot);
  /// No more reads: the kernel gives its buffers up.
  void close_ring() noexcept { buffers_.reset(); }
  [[nodiscard]] Line& line() noexcept { return line_; }

  [[nodiscard]] std::uint32_t chunk_bytes() const noexcept { return options_.chunk_bytes; }
  [[nodiscard]] std::uint16_t group() const noexcept { return options_.index; }
  [[nodiscard]] std::uint64_t mapped_bytes() const noexcept;
  /// Chunks that are neither free nor offered.
  [[nodiscard]] std::uint32_t out() const noexcept { return out_; }

 private:
  struct Slab;
  ChunkPool(const Options& options, ring::BufferRing buffers);
  [[nodiscard]] bool grow();

  Options options_;
  std::optional<ring::BufferRing> buffers_;
  std::vector<Slab> slabs_;
  std::vector<ChunkSlot*> by_id_;
  std::vector<ChunkSlot*> free_;
  Line line_;
  std::uint32_t offered_ = 0;
  std::uint32_t out_ = 0;
};

}  // namespace netrunner::flow
