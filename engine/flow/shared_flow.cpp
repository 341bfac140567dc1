#include "engine/flow/shared_flow.hpp"

#include <bit>

#include "engine/flow/limits.hpp"

namespace netrunner::flow {

Result<std::unique_ptr<SharedFlow>> SharedFlow::open(reactor::Reactor& reactor, const Options& options) {
  std::unique_ptr<SharedFlow> flow(new SharedFlow(reactor, options.budget_bytes));
  const std::uint64_t floor_bytes = std::max<std::uint64_t>(options.budget_bytes / floor_share, chunk_bytes_min);
  const std::uint64_t bulk_bytes = options.budget_bytes - floor_bytes;
  const std::uint64_t chunk_bytes = std::bit_floor(std::min<std::uint64_t>(options.chunk_bytes, bulk_bytes));
  ChunkPool::Options pool{bulk_index, options.home, options.open, static_cast<std::uint32_t>(chunk_bytes),
                          static_cast<std::uint32_t>(std::min<std::uint64_t>(bulk_bytes / chunk_bytes, chunks_max))};
  NR_TRY(bulk, ChunkPool::open(reactor.ring(), pool));
  flow->bulk_ = std::move(bulk);
  pool.index = small_index;
  pool.chunk_bytes = chunk_bytes_min;
  pool.chunks_max = static_cast<std::uint32_t>(std::min<std::uint64_t>(floor_bytes / chunk_bytes_min, chunks_max));
  NR_TRY(small, ChunkPool::open(reactor.ring(), pool));
  flow->small_ = std::move(small);
  return flow;
}

void SharedFlow::queue(Turn& turn) noexcept {
  if (turn.queued_) return;
  turn.queued_ = true;
  turn.previous_ = last_;
  turn.next_ = nullptr;
  (last_ == nullptr ? first_ : last_->next_) = &turn;
  last_ = &turn;
}

void SharedFlow::unqueue(Turn& turn) noexcept {
  if (!turn.queued_) return;
  turn.queued_ = false;
  (turn.previous_ == nullptr ? first_ : turn.previous_->next_) = turn.next_;
  (turn.next_ == nullptr ? last_ : turn.next_->previous_) = turn.previous_;
}

bool SharedFlow::run_turns() {
  for (std::uint32_t i = 0; i < reads_per_turn_max && first_ != nullptr; ++i) {
    Turn& turn = *first_;
    unqueue(turn);
    turn.take_turn();
  }
  return first_ != nullptr;
}

void SharedFlow::put_back(ChunkSlot& slot) {
  if (slot.pool != ChunkSlot::no_pool) return pool(slot.pool).put_back(slot);
  --pieces_out;
  delete[] slot.memory;
  delete &slot;
}

}  // namespace netrunner::flow
