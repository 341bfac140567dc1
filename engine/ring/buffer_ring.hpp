#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// Buffers that the kernel picks from when data is there: IORING_REGISTER_PBUF_RING (Linux 5.19).
/// The memory of the buffers belongs to the caller and must outlive this. Thread: the ring's.
class BufferRing {
 public:
  /// `entries`: a power of two, 32768 at most.
  [[nodiscard]] static Result<BufferRing> open(Ring& ring, std::uint16_t group, std::uint32_t entries);
  BufferRing(BufferRing&& other) noexcept;
  BufferRing& operator=(BufferRing&&) = delete;
  ~BufferRing();

  /// Hands a buffer to the kernel; the one added last is not picked first: the kernel goes in order.
  void add(std::uint16_t id, std::span<std::byte> buffer) noexcept;
  [[nodiscard]] std::uint16_t group() const noexcept { return group_; }

 private:
  BufferRing(Ring& ring, std::uint16_t group, std::uint32_t entries, io_uring_buf_ring* memory) noexcept;
  Ring* ring_;
  std::uint16_t group_;
  std::uint32_t entries_;
  io_uring_buf_ring* memory_;
};

}  // namespace netrunner::ring
