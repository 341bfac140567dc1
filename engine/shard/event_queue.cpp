#include "engine/shard/event_queue.hpp"

#include "engine/shard/limits.hpp"

namespace netrunner::shard {

void EventQueue::add(Event event, const OnEvent* own, std::uint32_t* untold) {
  const bool has_own = own != nullptr && *own;
  if (closed_ || (!all_ && !has_own)) return;
  event.shard = shard_;
  event.sequence = ++sequence_;
  if (untold != nullptr) ++*untold;
  entries_.push_back({event, has_own ? own : nullptr, untold});
}

void EventQueue::tell() {
  if (busy_) return;
  busy_ = true;
  for (std::uint32_t round = 0; round < event_rounds_max && !entries_.empty(); ++round) {
    telling_.swap(entries_);
    for (Entry& entry : telling_) {
      if (all_) all_(entry.event);
      if (entry.own != nullptr) (*entry.own)(entry.event);
      ++told_;
      if (entry.untold != nullptr) --*entry.untold;
    }
    telling_.clear();
  }
  busy_ = false;
}

void EventQueue::close() {
  closed_ = true;
  for (const Entry& entry : entries_) {
    if (entry.untold != nullptr) --*entry.untold;
  }
  entries_.clear();
}

}  // namespace netrunner::shard
