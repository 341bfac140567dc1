#include <netrunner/adopted.hpp>

#include <memory>

#include "engine/api/core.hpp"

namespace netrunner {

using detail::VerbKind;

namespace {

/// Runs `act(adoption)` in its shard, soon.
template <class Act>
void post(detail::Core& core, detail::Adoption& adoption, Act act) {
  struct ActLetter : detail::Letter {
    ActLetter(detail::Adoption& whom, Act what) : adoption(whom), act(std::move(what)) {}
    detail::Adoption& adoption;
    Act act;
  };
  auto letter = std::make_unique<ActLetter>(adoption, std::move(act));
  letter->open = [](detail::Letter& opened) noexcept {
    const std::unique_ptr<ActLetter> order(static_cast<ActLetter*>(&opened));
    order->act(order->adoption);
  };
  core.deliver(adoption.shard(), *letter.release());
}

}  // namespace

Adopted::~Adopted() {
  if (adoption_ == nullptr || core_->in_forked_child()) return;
  post(*core_, *adoption_, [](detail::Adoption& adoption) { adoption.release(); });
}

void Adopted::stop(const KillLadder& ladder) const {
  if (core_->in_forked_child()) return;
  post(*core_, *adoption_, [ladder](detail::Adoption& adoption) { adoption.stop(ladder); });
}

Awaitable<AdoptedEnd> Adopted::wait() const {
  Awaitable<AdoptedEnd> verb(VerbKind::adopted_end, core_, nullptr);
  verb.adoption = adoption_;
  return verb;
}

Awaitable<void> Adopted::signal(int number) {
  Awaitable<void> verb(VerbKind::adopted_signal, core_, nullptr);
  verb.adoption = adoption_;
  verb.number = number;
  return verb;
}

}  // namespace netrunner
