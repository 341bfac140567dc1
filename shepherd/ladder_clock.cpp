#include "shepherd/ladder_clock.hpp"

namespace netrunner::shepherd {

void LadderClock::put(std::uint32_t place, Entry entry) noexcept {
  heap_[place] = entry;
  places_[entry.slot] = place + 1;
}

void LadderClock::rise(std::uint32_t place, Entry entry) noexcept {
  while (place > 0 && entry.due_ns < heap_[(place - 1) / 2].due_ns) {
    put(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put(place, entry);
}

void LadderClock::sink(std::uint32_t place, Entry entry) noexcept {
  for (;;) {
    std::uint32_t child = 2 * place + 1;
    if (child >= count_) break;
    if (child + 1 < count_ && heap_[child + 1].due_ns < heap_[child].due_ns) ++child;
    if (heap_[child].due_ns >= entry.due_ns) break;
    put(place, heap_[child]);
    place = child;
  }
  rise(place, entry);  // It may have come from another branch of the heap.
}

void LadderClock::set(std::uint32_t slot, std::int64_t due_ns) noexcept {
  if (due_ns == never) return clear(slot);
  if (places_[slot] == 0) return rise(count_++, {due_ns, slot});
  sink(places_[slot] - 1, {due_ns, slot});
}

void LadderClock::clear(std::uint32_t slot) noexcept {
  if (places_[slot] == 0) return;
  const std::uint32_t place = places_[slot] - 1;
  places_[slot] = 0;
  --count_;
  if (place != count_) sink(place, heap_[count_]);
}

bool LadderClock::take_due(std::int64_t now, std::uint32_t& slot) noexcept {
  if (count_ == 0 || heap_[0].due_ns > now) return false;
  slot = heap_[0].slot;
  clear(slot);
  return true;
}

}  // namespace netrunner::shepherd
