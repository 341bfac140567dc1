/// A verb that its caller gives up: wherever it stands, it is found there, and what it was given goes back.

#include <optional>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/chunk.hpp>
#include <netrunner/process.hpp>

#include "engine/shard/shard.hpp"

namespace netrunner::shard {
namespace {

/// To the front of its stream, while that is there.
void give_back(Chunk& chunk) {
  detail::ChunkSlot* const slot = chunk.release();
  if (slot == nullptr) return;
  if (slot->outlet != nullptr) return slot->outlet->untake(*slot);
  detail::let_go(slot);
}

}  // namespace

/// True: it was under way here, and is idle now.
bool Shard::forget(Verb& verb) noexcept {
  if (verb.state == Verb::State::posted) return reactor_->take_out(verb), true;
  if (verb.state != Verb::State::under_way) return false;
  if (verb.kind == VerbKind::timer) return sleepers_.withdraw(verb);
  if (verb.kind == VerbKind::adopted_end) return verb.adoption->withdraw(verb);
  return verb.child != nullptr && verb.child->withdraw(verb);
}

void Shard::withdraw(Verb& verb) {
  const BetweenTurns here(*this);  // A spawn that was withdrawn is stopped, bytes that returned serve another reader.
  if (verbs_.withdraw(verb)) {
    undo(verb);
  } else {
    (void)forget(verb);
  }
  verb.state = Verb::State::idle;
  verb.handed_over = false;
}

/// It is done, but nobody will hear of it: bytes and streams return to where they were, a Process in it is dropped.
void Shard::undo(Verb& verb) {
  if (verb.error) return;
  if (verb.kind == VerbKind::read) {
    auto& read = static_cast<Awaitable<std::optional<Chunk>>&>(verb);
    if (*read.value) give_back(**read.value);
  } else if (verb.kind == VerbKind::read_any) {
    auto& read = static_cast<Awaitable<std::optional<StreamChunk>>&>(verb);
    if (*read.value) give_back((*read.value)->chunk);
  } else if (verb.kind == VerbKind::take_output) {
    if (verb.child->untake(verb.stream, false)) static_cast<Awaitable<Reader>&>(verb).value->release();
  } else if (verb.kind == VerbKind::take_input) {
    if (verb.child->untake(verb.stream, true)) static_cast<Awaitable<Writer>&>(verb).value->release();
  }
}

void Shard::abandon(Verb& verb, ErrorCode code) {
  take_back(verb, {code, Stage::none, 0, "the verb was given up at its caller's deadline; the command was not touched",
                   {}});
}

void Shard::take_back(Verb& verb, Error error) {
  if (forget(verb)) verbs_.fail(verb, std::move(error));
}

}  // namespace netrunner::shard
