#include <netrunner/process.hpp>

#include <memory>

#include "engine/api/core.hpp"
#include "engine/api/plan.hpp"

namespace netrunner {

using detail::VerbKind;

Process::~Process() {
  if (child_ == nullptr || core_->in_forked_child()) return;
  core_->deliver(child_->shard(), child_->release_letter);
}

void Process::detach() && {
  child_->detach_asked = true;
  const Process released(std::move(*this));
}

Awaitable<std::optional<Chunk>> Process::read(Stream stream, std::size_t bytes_max) {
  Awaitable<std::optional<Chunk>> verb(VerbKind::read, core_, child_);
  verb.stream = stream;
  verb.bytes_max = bytes_max;
  return verb;
}

Awaitable<std::optional<StreamChunk>> Process::read_any(std::size_t bytes_max) {
  Awaitable<std::optional<StreamChunk>> verb(VerbKind::read_any, core_, child_);
  verb.bytes_max = bytes_max;
  return verb;
}

Awaitable<void> Process::write(std::span<const std::byte> bytes, Stream stream) {
  Awaitable<void> verb(VerbKind::write, core_, child_);
  verb.stream = stream;
  verb.input = bytes;
  return verb;
}

Awaitable<void> Process::close_input(Stream stream) {
  Awaitable<void> verb(VerbKind::close_input, core_, child_);
  verb.stream = stream;
  return verb;
}

Awaitable<void> Process::close_output(Stream stream) {
  Awaitable<void> verb(VerbKind::close_output, core_, child_);
  verb.stream = stream;
  return verb;
}

Awaitable<Reader> Process::take(Stream stream) {
  Awaitable<Reader> verb(VerbKind::take_output, core_, child_);
  verb.stream = stream;
  return verb;
}

Awaitable<Writer> Process::take_input(Stream stream) {
  Awaitable<Writer> verb(VerbKind::take_input, core_, child_);
  verb.stream = stream;
  return verb;
}

Awaitable<void> Process::resize(WindowSize size) {
  Awaitable<void> verb(VerbKind::resize, core_, child_);
  verb.window = size;
  return verb;
}

Awaitable<TerminalModes> Process::terminal_modes() { return {VerbKind::terminal_modes, core_, child_}; }

/// What is wanted travels where the answer will be.
Awaitable<TerminalModes> Process::set_terminal_modes(TerminalModes changes) {
  Awaitable<TerminalModes> verb(VerbKind::terminal_modes, core_, child_);
  verb.value = std::move(changes);
  return verb;
}

Awaitable<void> Process::signal(int number, Target target) {
  Awaitable<void> verb(VerbKind::signal, core_, child_);
  verb.number = number;
  verb.target = target;
  return verb;
}

namespace {

struct StopLetter : detail::Letter {
  detail::Child* child;
  std::optional<KillLadder> ladder;
  os::UniqueFd commands;
};

void post_stop(detail::Core& core, detail::Child& child, std::optional<KillLadder> ladder) {
  auto letter = std::make_unique<StopLetter>();
  letter->child = &child;
  // Without them (no descriptor is left, say) the shepherd finds no command behind the rung, says so and goes on.
  if (ladder && detail::has_commands(*ladder)) {
    if (auto planned = detail::plan_stop_commands(core, child.spec(), *ladder)) letter->commands = *std::move(planned);
  }
  letter->ladder = std::move(ladder);
  letter->open = [](detail::Letter& opened) noexcept {
    const std::unique_ptr<StopLetter> order(static_cast<StopLetter*>(&opened));
    if (!order->ladder) return order->child->stop(EndReason::stopped);
    order->child->stop(EndReason::stopped, *order->ladder, std::move(order->commands));
  };
  core.deliver(child.shard(), *letter.release());
}

}  // namespace

void Process::stop() const {
  if (!core_->in_forked_child()) post_stop(*core_, *child_, std::nullopt);
}

void Process::stop(const KillLadder& ladder) const {
  if (!core_->in_forked_child()) post_stop(*core_, *child_, ladder);
}

Awaitable<ExitStatus> Process::exited() const { return {VerbKind::exited, core_, child_}; }
Awaitable<void> Process::drained() const { return {VerbKind::drained, core_, child_}; }
Awaitable<Ended> Process::wait() const { return {VerbKind::ended, core_, child_}; }
Awaitable<std::vector<LimitOutcome>> Process::set_limits(const Limits& limits, LimitPolicy policy) {
  Awaitable<std::vector<LimitOutcome>> verb(VerbKind::set_limits, core_, child_);
  if (core_->in_forked_child()) return verb;
  auto order = detail::plan_limit_order(*core_, limits, policy);
  if (order) {
    verb.order = order->release();
  } else {
    verb.error = std::move(order).error();
  }
  return verb;
}

Awaitable<Limits> Process::limits() const { return {VerbKind::limits, core_, child_}; }
Awaitable<ProcessStats> Process::stats() const { return {VerbKind::process_stats, core_, child_}; }

}  // namespace netrunner
