#include "engine/flow/shared_flow.hpp"

#include <bit>
#include <cstring>

#include "engine/flow/limits.hpp"

namespace netrunner::flow {

Result<std::unique_ptr<SharedFlow>> SharedFlow::open(reactor::Reactor& reactor, const Options& options) {
  std::unique_ptr<SharedFlow> flow(new SharedFlow(reactor, options.budget_bytes));
  const std::uint64_t floor_bytes = std::max<std::uint64_t>(options.budget_bytes / floor_share, chunk_bytes_min);
  const std::uint64_t bulk_bytes = options.budget_bytes - floor_bytes;
  flow->floor_bytes_ = floor_bytes;
  const std::uint64_t chunk_bytes = std::bit_floor(std::min<std::uint64_t>(options.chunk_bytes, bulk_bytes));
  NR_ASSERT(chunk_bytes > 0);  // What is asked for is checked before.
  ChunkPool::Options pool{bulk_index, options.home, options.open, static_cast<std::uint32_t>(chunk_bytes),
                          static_cast<std::uint32_t>(std::min<std::uint64_t>(bulk_bytes / chunk_bytes, chunks_max)),
                          &flow->allowance_};
  NR_TRY(bulk, ChunkPool::open(reactor.ring(), pool));
  flow->bulk_ = std::move(bulk);
  // Small chunks may take the whole budget, bulk ones leave a floor of it to them.
  pool.index = small_index;
  pool.chunk_bytes = chunk_bytes_min;
  const std::uint64_t small_max = std::min<std::uint64_t>(options.budget_bytes / chunk_bytes_min, chunks_max);
  pool.chunks_max = static_cast<std::uint32_t>(small_max);
  NR_TRY(small, ChunkPool::open(reactor.ring(), pool));
  flow->small_ = std::move(small);
  flow->bulk_->set_other(flow->small_.get());
  flow->small_->set_other(flow->bulk_.get());
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

ChunkSlot& SharedFlow::shrunk(ChunkSlot& slot) {
  const bool scarce = slot.pool == bulk_index && 2 * bulk_->out() > bulk_->bound();
  if (!scarce || slot.size() > small_->chunk_bytes() || !may_take_more(small_->chunk_bytes())) return slot;
  ChunkSlot* const small = small_->take();
  if (small == nullptr) return slot;
  std::memcpy(small->memory, slot.memory + slot.begin, slot.size());
  small->end = slot.size();
  put_back(slot);
  return *small;
}

void SharedFlow::put_back(ChunkSlot& slot) {
  if (slot.pool == ChunkSlot::no_pool) {
    --pieces_out;
    delete[] slot.memory;
    delete &slot;
    return;
  }
  pool(slot.pool).put_back(slot);
  (starving_.size() > 0 ? starving_ : waiting_).serve_one();
}

}  // namespace netrunner::flow
