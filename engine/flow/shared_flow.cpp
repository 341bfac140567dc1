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

std::size_t SharedFlow::parked() const noexcept {
  std::size_t all = 0;
  for (const Line& line : lines_) all += line.size();
  return all;
}

bool SharedFlow::has_turns() const noexcept {
  return first_ != nullptr || servings(Need::first_read) > 0 || servings(Need::first_write) > 0 ||
         servings(Need::more_small) > 0 || servings(Need::more_bulk) > 0;
}

/// How many of the line may find a chunk, as far as can be told without asking a pool; 0: none. Of those that hold
/// nothing one at least, where a small chunk is free.
std::uint64_t SharedFlow::servings(Need need) const noexcept {
  if (!line(need).hopeful()) return 0;
  const bool first = need == Need::first_read || need == Need::first_write;
  const std::uint64_t bound = first ? budget_bytes_ : budget_bytes_ - floor_bytes_;
  const std::uint64_t out = out_bytes(), bulk = bulk_->chunk_bytes(), small = small_->chunk_bytes();
  const std::uint64_t free = bound - std::min(bound, out);
  if (need == Need::more_small) return free / small;
  if (need == Need::more_bulk) return free / bulk;
  return free < small ? 0 : std::max<std::uint64_t>(free / bulk, 1);
}

void SharedFlow::serve(Need need, std::uint64_t most) {
  Line& served = line(need);
  std::uint64_t left = std::min({most, servings(need), std::uint64_t{served.size()}});
  for (; left > 0 && served.hopeful(); --left) served.serve_one();
}

void SharedFlow::serve(std::uint64_t most) {
  const bool reader = servings(Need::first_read) > 0, writer = servings(Need::first_write) > 0;
  if (reader || writer) {
    const bool writer_goes = writer && (!reader || writer_is_next_);
    writer_is_next_ = !writer_goes;
    return serve(writer_goes ? Need::first_write : Need::first_read, most);
  }
  serve(Need::more_small, most);
  serve(Need::more_bulk, most);
}

bool SharedFlow::run_turns() {
  serve(served_per_turn_max);
  for (std::uint32_t i = 0; i < reads_per_turn_max && first_ != nullptr; ++i) {
    Turn& turn = *first_;
    unqueue(turn);
    turn.take_turn();
  }
  return has_turns();
}

ChunkSlot& SharedFlow::shrunk(ChunkSlot& slot, bool alone) {
  if (slot.pool != bulk_index) return slot;
  const bool scarce = 2 * bulk_->out() > bulk_->bound();
  const std::uint32_t most = scarce ? small_->chunk_bytes() : alone ? moved_bytes_max : 0;
  if (slot.size() > most || !may_take_more(small_->chunk_bytes())) return slot;
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
  for (Line& line : lines_) line.chunk_came_back();
  serve(1);
}

}  // namespace netrunner::flow
