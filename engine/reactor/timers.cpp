#include "engine/reactor/timers.hpp"

namespace netrunner::reactor {

void Timers::arm(Timer& timer, std::int64_t at_ns) {
  if (at_ns == INT64_MAX) return disarm(timer);
  if (!timer.armed()) {
    timer.at_ns_ = at_ns;
    heap_.push_back(&timer);
    timer.place_ = heap_.size() - 1;
    return rise(timer.place_);
  }
  const bool sooner = at_ns < timer.at_ns_;
  timer.at_ns_ = at_ns;
  sooner ? rise(timer.place_) : sink(timer.place_);
}

void Timers::disarm(Timer& timer) noexcept {
  if (!timer.armed()) return;
  const std::size_t place = timer.place_;
  timer.place_ = Timer::nowhere;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  put(place, last);
  rise(place);
  sink(last->place_);
}

void Timers::fire_due(std::int64_t now_ns) {
  while (!heap_.empty() && heap_.front()->at_ns_ <= now_ns) {
    Timer& due = *heap_.front();
    disarm(due);
    due.fire_(due.owner_);
  }
}

void Timers::put(std::size_t place, Timer* timer) noexcept {
  heap_[place] = timer;
  timer->place_ = place;
}

void Timers::rise(std::size_t place) noexcept {
  Timer* timer = heap_[place];
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (heap_[parent]->at_ns_ <= timer->at_ns_) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, timer);
}

void Timers::sink(std::size_t place) noexcept {
  Timer* timer = heap_[place];
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->at_ns_ < heap_[child]->at_ns_) ++child;
    if (timer->at_ns_ <= heap_[child]->at_ns_) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, timer);
}

}  // namespace netrunner::reactor
