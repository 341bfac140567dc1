#include "engine/ring/buffer_ring.hpp"

#include <sys/mman.h>

#include <utility>

namespace netrunner::ring {
namespace {

std::size_t mapped_bytes(std::uint32_t entries) { return entries * sizeof(io_uring_buf); }

}  // namespace

Result<BufferRing> BufferRing::open(Ring& ring, std::uint16_t group, std::uint32_t entries) {
  void* memory = ::mmap(nullptr, mapped_bytes(entries), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return std::unexpected(system_error("mmap of a buffer ring"));
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uint64_t>(memory);
  registration.ring_entries = entries;
  registration.bgid = group;
  const int registered = ::io_uring_register_buf_ring(ring.raw(), &registration, 0);
  if (registered < 0) {
    ::munmap(memory, mapped_bytes(entries));
    return std::unexpected(system_error("io_uring_register buffer ring", Stage::none, -registered));
  }
  auto* buffers = static_cast<io_uring_buf_ring*>(memory);
  ::io_uring_buf_ring_init(buffers);
  return BufferRing(ring, group, entries, buffers);
}

BufferRing::BufferRing(Ring& ring, std::uint16_t group, std::uint32_t entries, io_uring_buf_ring* memory) noexcept
    : ring_(&ring), group_(group), entries_(entries), memory_(memory) {}

BufferRing::BufferRing(BufferRing&& other) noexcept
    : ring_(other.ring_), group_(other.group_), entries_(other.entries_),
      memory_(std::exchange(other.memory_, nullptr)) {}

BufferRing::~BufferRing() {
  if (memory_ == nullptr) return;
  (void)::io_uring_unregister_buf_ring(ring_->raw(), group_);
  ::munmap(memory_, mapped_bytes(entries_));
}

void BufferRing::add(std::uint16_t id, std::span<std::byte> buffer) noexcept {
  ::io_uring_buf_ring_add(memory_, buffer.data(), static_cast<unsigned int>(buffer.size()), id,
                          ::io_uring_buf_ring_mask(entries_), 0);
  ::io_uring_buf_ring_advance(memory_, 1);
}

}  // namespace netrunner::ring
