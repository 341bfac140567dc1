#include "engine/flow/outlet.hpp"

#include <poll.h>

#include <algorithm>
#include <cstring>

#include "engine/flow/limits.hpp"

namespace netrunner::flow {
namespace {

/// Reads up to this size are copied behind the bytes that still wait, so that a command that writes byte by byte
/// doesn't hold a chunk per byte.
constexpr std::uint32_t copied_bytes_max = 16 * 1024;

}  // namespace

Outlet::Outlet(SharedFlow& flow, OutletOwner& owner, Budget& budget, Source source, const Options& options)
    : flow_(flow),
      owner_(owner),
      source_(std::move(source)),
      options_(options),
      window_(options.window_bytes, budget),
      read_(this, [](void* self, ring::Completion done) { static_cast<Outlet*>(self)->read_done(done); }),
      watch_(this, [](void* self, ring::Completion) { static_cast<Outlet*>(self)->watch_done(); }) {}

Outlet::~Outlet() {
  Line::leave(*this);
  flow_.unqueue(*this);
  drop_queue();
  while (held_ != nullptr) {  // They come home later, to the pool alone.
    ChunkSlot& slot = *held_;
    held_ = slot.next_held;
    slot.outlet = nullptr;
    flow_.release(slot.size());
  }
}

void Outlet::want_turn() {
  if (!ended()) flow_.queue(*this);
}

bool Outlet::drops() const noexcept {
  return discarding_ || (options_.at_limit == AtLimit::truncate && bytes_ >= options_.limit_bytes);
}

std::uint64_t Outlet::wanted_bytes() const noexcept {
  std::uint64_t wanted = flow_.bulk().chunk_bytes();
  if (!drops()) wanted = std::min(wanted, options_.limit_bytes - bytes_);
  if (finish_counted_) wanted = std::min(wanted, finish_bytes_);
  return std::min<std::uint64_t>(wanted, options_.chunk_bytes);
}

void Outlet::take_turn() {
  if (ended() || !read_.idle() || !watch_.idle()) return;
  if (closing_) return end_with(StreamEnd::abandoned);
  if (finish_as_ != StreamEnd::none && !finish_counted_) {
    finish_counted_ = true;
    finish_bytes_ = source_.waiting_bytes_max();
  }
  if (finish_counted_ && (finish_bytes_ == 0 || source_.waiting_bytes_max() == 0)) return end_with(finish_as_);
  const std::uint64_t wanted = wanted_bytes();
  if (wanted == 0) return watch_for_more();
  auto granted = static_cast<std::uint32_t>(wanted);
  if (!drops()) {
    granted = window_.reserve(granted);
    reserved_ = granted;
    if (granted == 0) return stall();
  }
  go_on();
  const std::uint32_t reads = flow_.reads_armed + 1;
  const std::uint32_t small = flow_.small().chunk_bytes();
  const bool starving = window_.held_bytes() == 0;
  const bool bulk = granted > small && (starving || flow_.may_take_more(flow_.bulk().chunk_bytes()));
  if (bulk && flow_.bulk().offer(reads)) return read_into(flow_.bulk(), granted);
  if ((starving || (granted <= small && flow_.may_take_more(small))) && flow_.small().offer(reads)) {
    if (reserved_ > small) window_.settle({reserved_ - small, 0});  // No more than fits is promised.
    reserved_ = std::min(reserved_, small);
    return read_into(flow_.small(), std::min(granted, small));
  }
  // As little as there is credit for, in a large chunk: better than to stand still beside one.
  if (starving && flow_.bulk().offer(reads)) return read_into(flow_.bulk(), granted);
  window_.settle({reserved_, 0});
  reserved_ = 0;
  flow_.park(*this, starving         ? SharedFlow::Need::first_read
                    : granted > small ? SharedFlow::Need::more_bulk
                                      : SharedFlow::Need::more_small);
  owner_.output_parked(*this);
}

void Outlet::stall() {
  Line::leave(*this);  // A chunk is of no use without credit.
  if (!stall_.stall(flow_.now_ns())) return;
  ++flow_.stalls;
  owner_.output_stalled(*this);
}

void Outlet::go_on() {
  if (!stall_.go_on(flow_.now_ns())) return;
  flow_.stalled_ns += stall_.last_ns();
  owner_.output_resumed(*this, stall_.last_ns());
}

void Outlet::read_into(ChunkPool& pool, std::uint32_t bytes_max) {
  Line::leave(*this);
  reading_from_ = &pool;
  ++flow_.reads_armed;
  read_.arm(flow_.ring(), source_.fd(), pool.group(), bytes_max);
}

void Outlet::read_done(ring::Completion completion) {
  --flow_.reads_armed;
  ChunkSlot* slot = nullptr;
  if (completion.buffer_id != ring::Completion::no_buffer) slot = &reading_from_->picked(completion.buffer_id);
  const auto read = static_cast<std::uint32_t>(std::max(completion.result, 0));
  const bool dropped = reserved_ == 0;  // Armed without credit: nobody wants them.
  if (!dropped) window_.settle({reserved_, read});
  if (reserved_ > read) owner_.credit_returned();
  reserved_ = 0;
  if (read == 0) {
    if (slot != nullptr) flow_.put_back(*slot);  // End of file takes a buffer too.
    if (completion.result == -ENOBUFS) ++flow_.no_buffer_completions;
    if (!source_.ended_by(completion.result) || owner_.output_goes_on(*this)) return want_turn();
    return end_with(StreamEnd::file_end);
  }
  NR_ASSERT(slot != nullptr);
  ++operations_;
  ++flow_.reads;
  flow_.read_bytes += read;
  slot->end = read;
  if (finish_counted_) finish_bytes_ -= std::min<std::uint64_t>(finish_bytes_, read);
  if (dropped) {
    dropped_bytes_ += read;
    flow_.put_back(*slot);
  } else if (discarding_ || closing_) {  // It was armed before the reader lost interest.
    dropped_bytes_ += read;
    window_.give_back(read);
    flow_.put_back(*slot);
  } else {
    bytes_ += read;
    flow_.hold(read);
    keep(*slot);
  }
  want_turn();
  owner_.output_arrived(*this, read);
}

void Outlet::keep(ChunkSlot& slot) {
  ChunkSlot* last = queue_.last();
  const std::uint32_t bytes = slot.size();
  const bool joins = last != nullptr && !apart_ && bytes <= copied_bytes_max && last->capacity - last->end >= bytes &&
                     last->size() + bytes <= options_.chunk_bytes;
  if (joins) {
    std::memcpy(last->memory + last->end, slot.memory, bytes);
    last->end += bytes;
    return flow_.put_back(slot);
  }
  ChunkSlot& kept = flow_.shrunk(slot, queue_.empty() || apart_);
  kept.arrival = arrival_;
  queue_.push(kept);
}

ChunkSlot* Outlet::take(std::size_t bytes_max) {
  ChunkSlot* first = queue_.first();
  if (first == nullptr) return nullptr;
  if (first->size() > bytes_max) {
    ChunkSlot& piece = piece_of(*first, static_cast<std::uint32_t>(std::max<std::size_t>(bytes_max, 1)));
    hand_out(piece);
    return &piece;
  }
  ChunkSlot& whole = queue_.pop();
  hand_out(whole);
  return &whole;
}

ChunkSlot& Outlet::piece_of(ChunkSlot& whole, std::uint32_t bytes) {
  auto* piece = new ChunkSlot;
  piece->open = whole.open;
  piece->home = whole.home;
  piece->pool = ChunkSlot::no_pool;
  piece->memory = new std::byte[bytes];
  piece->capacity = piece->end = bytes;
  std::memcpy(piece->memory, whole.memory + whole.begin, bytes);
  piece->arrival = whole.arrival;
  whole.begin += bytes;
  ++flow_.pieces_out;
  return *piece;
}

void Outlet::hand_out(ChunkSlot& slot) noexcept {
  slot.outlet = this;
  slot.previous_held = nullptr;
  slot.next_held = held_;
  if (held_ != nullptr) held_->previous_held = &slot;
  held_ = &slot;
}

void Outlet::take_in(ChunkSlot& slot) noexcept {
  (slot.previous_held == nullptr ? held_ : slot.previous_held->next_held) = slot.next_held;
  if (slot.next_held != nullptr) slot.next_held->previous_held = slot.previous_held;
  slot.outlet = nullptr;
}

void Outlet::untake(ChunkSlot& slot) {
  if (discarding_ || closing_) {  // Nobody wants them any more.
    bytes_ -= slot.size();
    dropped_bytes_ += slot.size();
    return give_back(slot);
  }
  take_in(slot);
  queue_.push_front(slot);
  owner_.output_returned(*this);
}

void Outlet::give_back(ChunkSlot& slot) {
  take_in(slot);
  const std::uint32_t bytes = slot.size();
  flow_.release(bytes);
  window_.give_back(bytes);
  flow_.put_back(slot);
  want_turn();
  owner_.credit_returned();
}

void Outlet::credit_may_be_free() {
  if (stall_.stalled()) want_turn();
}

void Outlet::watch_for_more() {
  Line::leave(*this);
  watch_.arm(flow_.ring(), source_.fd(), POLLIN);
}

void Outlet::watch_done() {
  if (ended()) return;
  if (closing_) return want_turn();
  const bool last = source_.writers_are_gone();  // Asked first: nothing can come after it.
  const bool more = source_.waiting_bytes_max() > 0;
  if (!more && last) return end_with(StreamEnd::file_end);
  if (!more) return want_turn();
  end_with(StreamEnd::limit);
  owner_.output_over_limit(*this);
}

void Outlet::discard() {
  if (ended() || discarding_) return;
  discarding_ = true;
  drop_queue();
  flow_.ring().cancel(watch_);
  Line::leave(*this);
  leave_credit();
  want_turn();
}

void Outlet::close() {
  if (ended() || closing_) return;
  closing_ = true;
  drop_queue();
  flow_.ring().cancel(read_);
  flow_.ring().cancel(watch_);
  Line::leave(*this);
  take_turn();
}

void Outlet::finish(StreamEnd end) {
  if (ended() || finish_as_ != StreamEnd::none) return;
  finish_as_ = end;
  flow_.ring().cancel(read_);
  flow_.ring().cancel(watch_);
  take_turn();
}

void Outlet::cut() {
  if (ended()) return;
  finish_as_ = StreamEnd::abandoned;
  finish_counted_ = true;
  finish_bytes_ = 0;
  flow_.ring().cancel(read_);
  flow_.ring().cancel(watch_);
  take_turn();
}

void Outlet::drop_queue() {
  while (!queue_.empty()) {
    ChunkSlot& slot = queue_.pop();
    const std::uint32_t bytes = slot.size();
    bytes_ -= bytes;
    dropped_bytes_ += bytes;
    flow_.release(bytes);
    window_.give_back(bytes);
    flow_.put_back(slot);
  }
}

/// It reads nothing more that costs any.
void Outlet::leave_credit() {
  window_.leave_budget();
  owner_.credit_returned();
}

void Outlet::end_with(StreamEnd end) {
  if (end == StreamEnd::file_end) {
    if (inherited_) end = StreamEnd::inherited;
    else if (discarding_) end = StreamEnd::abandoned;
    else if (dropped_bytes_ > 0) end = StreamEnd::truncated;
  }
  end_ = end;
  go_on();
  Line::leave(*this);
  flow_.unqueue(*this);
  // At its limit the pipe stays open and full: the command waits in write until its ladder ends it.
  if (end != StreamEnd::limit) source_.close();
  leave_credit();
  owner_.output_ended(*this);
}

bool Outlet::writers_are_gone() const noexcept { return !ended() && source_.writers_are_gone(); }

std::uint64_t Outlet::writers_key() const noexcept { return ended() ? 0 : source_.writers_key(); }

StreamStats Outlet::stats() const {
  return {options_.stream, bytes_, operations_, dropped_bytes_, stall_.stalls(), stall_.stalled_ns(flow_.now_ns()),
          window_.limit_bytes(), window_.free_bytes(), window_.reserved_bytes(), window_.held_bytes(), ended(),
          static_cast<std::uint64_t>(stall_.stalled_for_ns(flow_.now_ns()))};
}

StreamSummary Outlet::summary() const {
  // Not ended: the rest is in the reader's hands, and its end is known already.
  const StreamEnd end = ended()                            ? end_
                        : inherited_                       ? StreamEnd::inherited
                        : finish_as_ != StreamEnd::none    ? finish_as_
                                                           : StreamEnd::file_end;
  return {options_.stream, end, bytes_, dropped_bytes_, operations_, stall_.stalls(),
          stall_.stalled_ns(flow_.now_ns())};
}

}  // namespace netrunner::flow
