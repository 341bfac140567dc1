#include <netrunner/when.hpp>

namespace netrunner::detail {

bool Race::begin(std::span<Contender> contenders, std::coroutine_handle<> waiter) {
  contenders_ = contenders;
  join_.waiter = waiter;
  for (Contender& contender : contenders) {
    contender.race = this;
    if (!may_start(contender)) break;
    Verb& verb = *contender.verb;
    verb.waiter = &contender;
    verb.on_done = [](Verb& done) noexcept {
      auto& ended = *static_cast<Contender*>(done.waiter);
      ended.race->note_end(ended);
      ended.race->count_down();
    };
    if (start(verb)) continue;
    note_end(contender);
    (void)join_.count_down();
  }
  {
    const std::lock_guard guard(mutex_);
    starting_ = false;
  }
  ask_losers();
  return !join_.count_down();
}

Race::~Race() {
  for (Contender& contender : contenders_) {
    if (contender.asked) take_from_post(*contender.verb, contender);
  }
}

/// False: one has won already.
bool Race::may_start(Contender& contender) {
  const std::lock_guard guard(mutex_);
  if (first_ != none) return false;
  contender.started = true;
  join_.expect(1);
  return true;
}

void Race::note_end(Contender& contender) {
  {
    const std::lock_guard guard(mutex_);
    contender.ended = true;
    if (first_ == none) first_ = static_cast<std::size_t>(&contender - contenders_.data());
  }
  ask_losers();
}

/// Not while verbs are being started: one that is about to be would miss it. begin() asks when it is through.
std::vector<Race::Contender*> Race::losers() {
  std::vector<Contender*> losers;
  const std::lock_guard guard(mutex_);
  if (starting_ || asked_ || first_ == none) return losers;
  asked_ = true;
  for (Contender& contender : contenders_) {
    if (!contender.started || contender.ended) continue;
    join_.expect(1);
    contender.asked = true;
    losers.push_back(&contender);
  }
  return losers;
}

void Race::ask_losers() {
  for (Contender* loser : losers()) {
    loser->open = [](Letter& letter) noexcept {
      auto& asked = static_cast<Contender&>(letter);
      asked.asked = false;
      take_back_here(*asked.verb);
      asked.race->count_down();
    };
    deliver_beside(*loser->verb, *loser);
  }
}

void Race::count_down() {
  const std::coroutine_handle<> waiter = join_.waiter;
  if (join_.count_down()) waiter.resume();
}

Error another_was_first() { return {ErrorCode::cancelled, Stage::none, 0, "the verb", "another was done first"}; }

}  // namespace netrunner::detail
