#include "engine/shard/verb_queue.hpp"

#include <utility>

namespace netrunner::shard {

void VerbList::push(Verb& verb) noexcept {
  verb.next_waiting = nullptr;
  (last_ == nullptr ? first_ : last_->next_waiting) = &verb;
  last_ = &verb;
}

Verb* VerbList::pop() noexcept {
  Verb* verb = first_;
  if (verb == nullptr) return nullptr;
  first_ = verb->next_waiting;
  if (first_ == nullptr) last_ = nullptr;
  return verb;
}

bool VerbList::remove(Verb& verb) noexcept {
  Verb* previous = nullptr;
  for (Verb* at = first_; at != nullptr; previous = at, at = at->next_waiting) {
    if (at != &verb) continue;
    (previous == nullptr ? first_ : previous->next_waiting) = verb.next_waiting;
    if (last_ == &verb) last_ = previous;
    return true;
  }
  return false;
}

void VerbQueue::complete(Verb& verb) noexcept {
  verb.state = Verb::State::done;
  if (starting_ != &verb) done_.push(verb);
}

void VerbQueue::fail(Verb& verb, Error error) noexcept {
  verb.error = std::move(error);
  complete(verb);
}

void VerbQueue::fail(Verb& verb, ErrorCode code, const char* subject) noexcept {
  fail(verb, Error{code, Stage::none, 0, subject, {}});
}

void VerbQueue::deliver(Verb& verb) noexcept {
  verb.handed_over = false;
  verb.on_done(verb);
}

void VerbQueue::resume() {
  for (std::uint32_t i = 0; i < resumed_per_turn_max; ++i) {
    Verb* verb = done_.pop();
    if (verb == nullptr) return;
    deliver(*verb);
  }
}

}  // namespace netrunner::shard
