#include <netrunner/process_stream.hpp>

#include <memory>

#include "engine/api/core.hpp"

namespace netrunner {

using detail::VerbKind;

detail::TakenStream::~TakenStream() {
  if (child_ == nullptr || core_->in_forked_child()) return;
  struct ReturnLetter : Letter {
    Child* child;
    Stream stream;
    bool input;
  };
  auto letter = std::make_unique<ReturnLetter>();
  letter->child = child_;
  letter->stream = stream_;
  letter->input = direction_ == Direction::to_command;
  letter->open = [](Letter& opened) noexcept {
    const std::unique_ptr<ReturnLetter> given(static_cast<ReturnLetter*>(&opened));
    given->child->give_stream_back(given->stream, given->input);
  };
  core_->deliver(child_->shard(), *letter.release());
}

Awaitable<std::optional<Chunk>> Reader::read(std::size_t bytes_max) {
  Awaitable<std::optional<Chunk>> verb(VerbKind::read, core_, child_);
  verb.stream = stream_;
  verb.bytes_max = bytes_max;
  verb.of_taker = true;
  return verb;
}

Awaitable<void> Reader::close() {
  Awaitable<void> verb(VerbKind::close_output, core_, child_);
  verb.stream = stream_;
  verb.of_taker = true;
  return verb;
}

Awaitable<void> Writer::write(std::span<const std::byte> bytes) {
  Awaitable<void> verb(VerbKind::write, core_, child_);
  verb.stream = stream_;
  verb.input = bytes;
  verb.of_taker = true;
  return verb;
}

Awaitable<void> Writer::close() {
  Awaitable<void> verb(VerbKind::close_input, core_, child_);
  verb.stream = stream_;
  verb.of_taker = true;
  return verb;
}

}  // namespace netrunner
