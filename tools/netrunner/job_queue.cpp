#include "tools/netrunner/job_queue.hpp"

namespace netrunner::tool {

/// Under the lock: an item to each slot that waits, as far as both bounds and the items go.
void JobQueue::hand_out(std::vector<Take*>& served) {
  while (!waiting_.empty()) {
    const bool can_take = !stopped_ && !items_.empty() && outstanding_ < limits_.outstanding_max;
    if (!can_take && !over()) break;
    Take* take = waiting_.front();
    waiting_.pop_front();
    if (can_take) {
      take->item_ = std::move(items_.front());
      items_.pop_front();
      ++outstanding_;
      ++taken_;
    }
    served.push_back(take);
  }
  // Not for each item: a reader that sleeps costs more to wake than an item to read.
  if (reader_waits_ && (stopped_ || items_.size() <= limits_.ahead_max / 2)) {
    reader_waits_ = false;
    room_.notify_one();
  }
}

/// Outside the lock: each goes on until it waits again, and may come back here.
void JobQueue::resume(const std::vector<Take*>& served) {
  for (const Take* take : served) take->slot_.resume();
}

bool JobQueue::wait_for(Take& take) {
  std::vector<Take*> served;
  {
    const std::lock_guard guard(mutex_);
    waiting_.push_back(&take);
    if (waiting_.size() == 1) hand_out(served);
  }
  // Whoever waited before this one went on waiting, so only this one can have been served.
  return served.empty();
}

bool JobQueue::put(std::string text) {
  std::vector<Take*> served;
  {
    std::unique_lock lock(mutex_);
    if (items_.size() >= limits_.ahead_max && !stopped_) {
      reader_waits_ = true;
      room_.wait(lock, [this] { return !reader_waits_; });
    }
    ++put_;  // One that comes too late is counted too.
    if (stopped_) return false;
    items_.push_back({put_, std::move(text)});
    hand_out(served);
  }
  resume(served);
  return true;
}

void JobQueue::close() {
  std::vector<Take*> served;
  {
    const std::lock_guard guard(mutex_);
    closed_ = true;
    hand_out(served);
  }
  resume(served);
}

void JobQueue::stop() {
  std::vector<Take*> served;
  {
    const std::lock_guard guard(mutex_);
    stopped_ = true;
    hand_out(served);
  }
  resume(served);
}

void JobQueue::settle(std::uint64_t jobs) {
  std::vector<Take*> served;
  {
    const std::lock_guard guard(mutex_);
    outstanding_ -= jobs;
    hand_out(served);
  }
  resume(served);
}

void JobQueue::put_back() {
  const std::lock_guard guard(mutex_);
  --taken_;
  --outstanding_;
}

JobQueue::Figures JobQueue::figures() const {
  const std::lock_guard guard(mutex_);
  return {.taken = taken_, .total = closed_ ? std::optional(put_) : std::nullopt, .not_taken = put_ - taken_};
}

}  // namespace netrunner::tool
