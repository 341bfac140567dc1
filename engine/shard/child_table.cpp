#include "engine/shard/child_table.hpp"

#include <utility>

namespace netrunner::shard {

detail::Child* ChildTable::add(Rooms& rooms, std::uint64_t number, std::unique_ptr<detail::SpawnPlan> plan) {
  if (free_.empty()) {
    if (slots_.size() >= children_max_) return nullptr;
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  ++size_;
  Slot& place = slots_[slot];
  const wire::ChildId id{slot, ++place.generation};
  place.child = std::make_unique<detail::Child>(rooms, id, number, std::move(plan));
  return place.child.get();
}

detail::Child* ChildTable::find(wire::ChildId id) noexcept {
  if (id.slot >= slots_.size() || slots_[id.slot].generation != id.generation) return nullptr;
  return slots_[id.slot].child.get();
}

void ChildTable::remove(detail::Child& child) {
  const std::uint32_t slot = child.id().slot;
  NR_ASSERT(slots_[slot].child.get() == &child);
  slots_[slot].child.reset();
  free_.push_back(slot);
  --size_;
}

}  // namespace netrunner::shard
