#include "engine/shard/sleepers.hpp"

namespace netrunner::shard {

Sleepers::Sleeper::Sleeper(Sleepers& all, Verb& sleeping) noexcept
    : timer(this,
            [](void* self) {
              Sleepers& all = static_cast<Sleeper*>(self)->sleepers;
              Verb& awake = static_cast<Sleeper*>(self)->verb;
              (void)all.withdraw(awake);  // The sleeper is gone with it.
              all.verbs_.complete(awake);
            }),
      sleepers(all),
      verb(sleeping) {}

void Sleepers::add(Verb& verb) {
  if (verb.until_ns <= reactor_.now_ns()) return verbs_.complete(verb);
  const auto& sleeper = all_.emplace(&verb, std::make_unique<Sleeper>(*this, verb)).first->second;
  reactor_.timers().arm(sleeper->timer, verb.until_ns);
}

bool Sleepers::withdraw(Verb& verb) noexcept {
  const auto found = all_.find(&verb);
  if (found == all_.end()) return false;
  reactor_.timers().disarm(found->second->timer);
  all_.erase(found);
  return true;
}

void Sleepers::close() {
  while (!all_.empty()) {
    Verb& verb = all_.begin()->second->verb;
    (void)withdraw(verb);
    verbs_.fail(verb, ErrorCode::engine_closed, "the engine was closed");
  }
}

}  // namespace netrunner::shard
