#pragma once
/// A piece of output, in the engine's own memory: no copy was made, and its bytes count against the stream's
/// window until it is let go.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace netrunner {

namespace detail {
struct ChunkSlot;
/// Gives the bytes back to the window and the memory to the pool. Any thread; never blocks.
void let_go(ChunkSlot* slot) noexcept;
}  // namespace detail

/// Owner: the consumer. May be moved to and dropped in any thread. Outlives its Process and its Engine safely.
class Chunk {
 public:
  Chunk() noexcept = default;
  Chunk(detail::ChunkSlot* slot, std::span<const std::byte> bytes) noexcept : slot_(slot), bytes_(bytes) {}
  Chunk(Chunk&& other) noexcept
      : slot_(std::exchange(other.slot_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}
  Chunk& operator=(Chunk&& other) noexcept {
    Chunk taken(std::move(other));
    std::swap(slot_, taken.slot_);
    std::swap(bytes_, taken.bytes_);
    return *this;
  }
  ~Chunk() {
    if (slot_ != nullptr) detail::let_go(slot_);
  }

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// For the engine: the caller gives it back. Null: there is none.
  [[nodiscard]] detail::ChunkSlot* release() noexcept {
    bytes_ = {};
    return std::exchange(slot_, nullptr);
  }

 private:
  detail::ChunkSlot* slot_ = nullptr;
  std::span<const std::byte> bytes_;
};

}  // namespace netrunner
