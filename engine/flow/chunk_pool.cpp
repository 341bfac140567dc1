#include "engine/flow/chunk_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "engine/flow/limits.hpp"

namespace netrunner::flow {
namespace {

constexpr std::uint32_t chunks_per_slab = 16;

}  // namespace

void Line::join(Waiter& waiter) noexcept {
  if (waiter.line_ == this) return;
  leave(waiter);
  waiter.line_ = this;
  waiter.previous_ = last_;
  waiter.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &waiter;
  last_ = &waiter;
  ++size_;
}

void Line::leave(Waiter& waiter) noexcept {
  if (!waiter.waiting()) return;
  Line& line = *waiter.line_;
  (waiter.previous_ == nullptr ? line.first_ : waiter.previous_->next_) = waiter.next_;
  (waiter.next_ == nullptr ? line.last_ : waiter.next_->previous_) = waiter.previous_;
  waiter.line_ = nullptr;
  --line.size_;
}

void Line::serve_one() {
  if (first_ == nullptr) return;
  Waiter& served = *first_;
  leave(served);
  served.chunk_is_free();
}

/// Anonymous memory of several chunks and their slots; touched only as far as it is used.
struct ChunkPool::Slab {
  std::byte* memory;
  std::unique_ptr<ChunkSlot[]> slots;
  std::size_t bytes;
};

Result<std::unique_ptr<ChunkPool>> ChunkPool::open(ring::Ring& ring, const Options& options) {
  NR_ASSERT(options.chunks_max > 0 && options.chunks_max <= chunks_max);
  NR_TRY(buffers, ring::BufferRing::open(ring, options.index, std::bit_ceil(offered_max)));
  return std::unique_ptr<ChunkPool>(new ChunkPool(options, std::move(buffers)));
}

ChunkPool::ChunkPool(const Options& options, ring::BufferRing buffers)
    : options_(options), buffers_(std::move(buffers)) {}

ChunkPool::~ChunkPool() {
  for (const Slab& slab : slabs_) ::munmap(slab.memory, slab.bytes);
}

bool ChunkPool::grow() {
  const auto have = static_cast<std::uint32_t>(by_id_.size());
  const std::uint32_t count = std::min(chunks_per_slab, options_.chunks_max - have);
  if (count == 0) return false;
  const std::size_t bytes = std::size_t{count} * options_.chunk_bytes;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  Slab slab{static_cast<std::byte*>(memory), std::make_unique<ChunkSlot[]>(count), bytes};
  for (std::uint32_t i = 0; i < count; ++i) {
    ChunkSlot& slot = slab.slots[i];
    slot.open = options_.open;
    slot.home = options_.home;
    slot.memory = slab.memory + std::size_t{i} * options_.chunk_bytes;
    slot.capacity = options_.chunk_bytes;
    slot.id = static_cast<std::uint16_t>(have + i);
    slot.pool = options_.index;
    by_id_.push_back(&slot);
  }
  free_.reserve(by_id_.size());
  cold_.reserve(by_id_.size());
  for (std::uint32_t i = count; i > 0; --i) cold_.push_back(&slab.slots[i - 1]);
  slabs_.push_back(std::move(slab));
  return true;
}

bool ChunkPool::warm_one() {
  if (cold_.empty() && !grow()) return false;
  while (!options_.allowance->take(options_.chunk_bytes)) {
    if (other_ == nullptr || !other_->cool_one()) return false;
  }
  free_.push_back(cold_.back());
  cold_.pop_back();
  return true;
}

bool ChunkPool::cool_one() {
  if (free_.empty()) return false;
  ChunkSlot* slot = free_.back();
  free_.pop_back();
  (void)::madvise(slot->memory, slot->capacity, MADV_DONTNEED);
  cold_.push_back(slot);
  options_.allowance->give(options_.chunk_bytes);
  return true;
}

ChunkSlot* ChunkPool::pop_free() {
  if (free_.empty() && !warm_one()) return nullptr;
  ChunkSlot* slot = free_.back();
  free_.pop_back();
  return slot;
}

bool ChunkPool::offer(std::uint32_t reads) {
  // What the kernel has nobody else can have: a quarter at most.
  const std::uint32_t most = std::clamp<std::uint32_t>(options_.chunks_max / 4, 1, offered_max);
  const std::uint32_t wanted = std::clamp<std::uint32_t>(reads, 1, most);
  while (offered_ < wanted) {
    ChunkSlot* slot = pop_free();
    if (slot == nullptr) break;
    buffers_->add(slot->id, {slot->memory, slot->capacity});
    ++offered_;
  }
  return offered_ > 0;
}

ChunkSlot& ChunkPool::picked(std::uint32_t buffer_id) {
  NR_ASSERT(offered_ > 0 && buffer_id < by_id_.size());
  --offered_;
  ++out_;
  ChunkSlot& slot = *by_id_[buffer_id];
  slot.begin = slot.end = 0;
  slot.outlet = nullptr;
  return slot;
}

ChunkSlot* ChunkPool::take() {
  ChunkSlot* slot = pop_free();
  if (slot == nullptr) return nullptr;
  ++out_;
  slot->begin = slot->end = 0;
  slot->outlet = nullptr;
  return slot;
}

void ChunkPool::put_back(ChunkSlot& slot) {
  NR_ASSERT(out_ > 0);
  --out_;
  free_.push_back(&slot);
}

std::uint64_t ChunkPool::warm_bytes() const noexcept {
  return std::uint64_t{by_id_.size() - cold_.size()} * options_.chunk_bytes;
}

}  // namespace netrunner::flow
