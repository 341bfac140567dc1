#pragma once

#include <utility>

#include "engine/flow/chunk_pool.hpp"

namespace netrunner::flow {

/// Chunks in order, linked through the slots: no memory of its own.
class ChunkQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
  [[nodiscard]] ChunkSlot* first() const noexcept { return first_; }
  [[nodiscard]] ChunkSlot* last() const noexcept { return last_; }
  void push(ChunkSlot& slot) noexcept {
    slot.next_in_queue = nullptr;
    (last_ == nullptr ? first_ : last_->next_in_queue) = &slot;
    last_ = &slot;
  }
  void push_front(ChunkSlot& slot) noexcept {
    slot.next_in_queue = first_;
    if (first_ == nullptr) last_ = &slot;
    first_ = &slot;
  }
  [[nodiscard]] ChunkSlot& pop() noexcept {
    ChunkSlot& slot = *first_;
    first_ = slot.next_in_queue;
    if (first_ == nullptr) last_ = nullptr;
    return slot;
  }

 private:
  ChunkSlot *first_ = nullptr, *last_ = nullptr;
};

}  // namespace netrunner::flow
