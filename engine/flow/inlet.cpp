#include "engine/flow/inlet.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "engine/flow/limits.hpp"

namespace netrunner::flow {

Inlet::Inlet(SharedFlow& flow, InletOwner& owner, Sink sink, Stream stream, std::uint64_t window_bytes)
    : flow_(flow),
      owner_(owner),
      sink_(std::move(sink)),
      stream_(stream),
      window_bytes_(window_bytes),
      write_(this, [](void* self, ring::Completion done) { static_cast<Inlet*>(self)->write_done(done); }) {}

Inlet::~Inlet() {
  Line::leave(*this);
  drop_queue();
}

std::size_t Inlet::accept(std::span<const std::byte> bytes) {
  used_ = true;
  std::size_t accepted = write_at_once(bytes);
  bytes = bytes.subspan(accepted);
  while (!bytes.empty() && queued_bytes_ < window_bytes_) {
    ChunkSlot* slot = room(bytes.size());
    if (slot == nullptr) break;
    const std::size_t count = std::min<std::size_t>(
        {bytes.size(), slot->capacity - slot->end, static_cast<std::size_t>(window_bytes_ - queued_bytes_)});
    std::memcpy(slot->memory + slot->end, bytes.data(), count);
    slot->end += static_cast<std::uint32_t>(count);
    last_ = bytes[count - 1];
    bytes = bytes.subspan(count);
    accepted += count;
    queued_bytes_ += count;
    flow_.hold(count);
  }
  if (!bytes.empty()) stall();
  go_on();
  return accepted;
}

/// From the caller's own memory while nothing waits before it: neither a copy nor a completion. Once per turn, or a
/// writer whose command keeps up would hold up all others; and with many streams the ring's batches cost less.
std::size_t Inlet::write_at_once(std::span<const std::byte> bytes) {
  const bool may = !ended() && !closing_ && queue_.empty() && write_.idle() && !bytes.empty();
  if (!may || !flow_.is_quiet() || written_turn_ == flow_.turn()) return 0;
  written_turn_ = flow_.turn();
  const ssize_t result = ::write(sink_.fd(), bytes.data(), std::min(bytes.size(), input_at_once_max));
  if (result <= 0) return 0;  // Full, or broken: the ring's write tells.
  const auto written = static_cast<std::size_t>(result);
  last_ = bytes[written - 1];
  ++operations_;
  count(written);
  return written;
}

/// The chunk that new bytes go into; null: the pools are empty, a place in line was taken.
ChunkSlot* Inlet::room(std::size_t wanted) {
  ChunkSlot* last = queue_.last();
  if (last != nullptr && last->end < last->capacity) return last;
  const bool much = wanted > flow_.small().chunk_bytes();
  ChunkSlot* fresh = much ? flow_.bulk().take() : nullptr;
  if (fresh == nullptr && (!much || queued_bytes_ == 0)) fresh = flow_.small().take();
  if (fresh == nullptr) {
    if (queued_bytes_ == 0) flow_.park(*this, SharedFlow::Need::first_write);  // Otherwise the write's end makes room.
    return nullptr;
  }
  queue_.push(*fresh);
  return fresh;
}

void Inlet::feed(std::span<const std::byte> bytes) {
  NR_ASSERT(!used_);
  used_ = true;
  fed_ = bytes;
  closing_ = true;
  // What fits the pipe is there before the command exists; the pipe is ours alone and does not block.
  while (!fed_.empty()) {
    const ssize_t written = ::write(sink_.fd(), fed_.data(), fed_.size());
    if (written <= 0) break;
    ++operations_;
    advance(static_cast<std::size_t>(written));
  }
  go_on();
}

void Inlet::go_on() {
  if (ended() || !write_.idle()) return;
  std::span<const std::byte> next = fed_;
  if (next.empty() && !queue_.empty()) next = queue_.first()->bytes();
  if (next.empty() && closing_) {
    if (!std::exchange(input_over_, true)) farewell_ = sink_.farewell(last_);
    next = farewell_;
  }
  if (next.empty()) {
    if (closing_) end();
    return;
  }
  write_.arm(flow_.ring(), sink_.fd(), next.first(std::min(next.size(), input_at_once_max)));
}

void Inlet::write_done(ring::Completion completion) {
  if (completion.result > 0) {
    ++operations_;
    advance(static_cast<std::size_t>(completion.result));
  } else if (completion.result != -EAGAIN && completion.result != -EINTR && completion.result != -ECANCELED) {
    broken_ = true;  // EPIPE: the command closed its end.
  }
  if (broken_) {
    drop_queue();
    return end();
  }
  go_on();
  if (ended()) return;
  if (queued_bytes_ < window_bytes_) {
    end_stall();
    owner_.input_has_room(*this);
  }
}

void Inlet::count(std::size_t written) noexcept {
  bytes_ += written;
  flow_.written_bytes += written;
  ++flow_.writes;
}

void Inlet::advance(std::size_t written) {
  if (input_over_) {
    farewell_ = farewell_.subspan(written);
    return;
  }
  count(written);
  if (!fed_.empty()) {
    fed_ = fed_.subspan(written);
    return;
  }
  queued_bytes_ -= written;
  flow_.release(written);
  ChunkSlot& first = *queue_.first();
  first.begin += static_cast<std::uint32_t>(written);
  if (first.begin == first.end) flow_.put_back(queue_.pop());
}

void Inlet::close() {
  closing_ = true;
  go_on();
}

void Inlet::abandon() {
  if (ended()) return;
  closing_ = true;
  if (write_.idle()) {
    drop_queue();
    return end();
  }
  broken_ = true;  // The write's completion decides how much went in; then the rest is dropped.
  flow_.ring().cancel(write_);
}

void Inlet::drop_queue() {
  dropped_bytes_ += queued_bytes_ + fed_.size();
  flow_.release(queued_bytes_);
  queued_bytes_ = 0;
  fed_ = {};
  while (!queue_.empty()) flow_.put_back(queue_.pop());
}

void Inlet::stall() {
  if (!stall_.stall(flow_.now_ns())) return;
  ++flow_.stalls;
  owner_.input_stalled(*this);
}

void Inlet::end_stall() {
  if (!stall_.go_on(flow_.now_ns())) return;
  flow_.stalled_ns += stall_.last_ns();
  owner_.input_resumed(*this, stall_.last_ns());
}

void Inlet::end() {
  Line::leave(*this);
  end_stall();
  sink_.close();
  owner_.input_ended(*this);
}

StreamStats Inlet::stats() const {
  return {stream_, bytes_, operations_, dropped_bytes_, stall_.stalls(), stall_.stalled_ns(flow_.now_ns()),
          window_bytes_, window_bytes_ - std::min(queued_bytes_, window_bytes_), 0, queued_bytes_, ended(),
          static_cast<std::uint64_t>(stall_.stalled_for_ns(flow_.now_ns())), 0, 0, Direction::to_command};
}

StreamSummary Inlet::summary() const {
  const std::uint64_t unread = dropped_bytes_ + queued_bytes_ + fed_.size();  // A cancel may be under way.
  const bool whole = unread == 0 && (!broken_ || input_over_);
  return {stream_, whole ? StreamEnd::file_end : StreamEnd::abandoned, bytes_, unread, operations_, stall_.stalls(),
           stall_.stalled_ns(flow_.now_ns()), 0, 0, Direction::to_command};
}

}  // namespace netrunner::flow
