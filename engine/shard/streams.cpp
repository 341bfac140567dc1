#include "engine/shard/streams.hpp"

#include <algorithm>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/process.hpp>

#include "engine/os/descriptor.hpp"
#include "engine/os/pipe.hpp"
#include "engine/os/pty.hpp"
#include "engine/shard/stream_link.hpp"

namespace netrunner::shard {
namespace {

using Attached = detail::SpawnPlan::Attached;
using ReadVerb = Awaitable<std::optional<Chunk>>;
using AnyVerb = Awaitable<std::optional<StreamChunk>>;

std::string stream_name(Stream stream) {
  switch (stream) {
    case Stream::in: return "stdin";
    case Stream::out: return "stdout";
    case Stream::err: return "stderr";
  }
  return "descriptor " + std::to_string(static_cast<int>(stream));
}

Error not_a_pipe(Stream stream) {
  return {ErrorCode::not_a_pipe, Stage::none, 0, stream_name(stream),
          "only a stream that the command has as Stdio::pipe() or terminal() can be read or written"};
}

Error no_terminal() {
  return {ErrorCode::invalid_argument, Stage::none, 0, "the command's terminal",
          "it has none: give one of its streams Stdio::terminal()"};
}

Error was_taken(Stream stream) {
  return {ErrorCode::stream_busy, Stage::none, 0, stream_name(stream), "it was taken: its Reader or Writer has it"};
}

Error busy(Stream stream) {
  return {ErrorCode::stream_busy, Stage::none, 0, stream_name(stream), "await the verb under way on it first"};
}

}  // namespace

struct Streams::Output {
  Output(Streams& owner, flow::Source source, const flow::Outlet::Options& options)
      : outlet(owner.flow_, owner, owner.budget_, std::move(source), options) {}
  flow::Outlet outlet;
  Verb* reader = nullptr;
  flow::StallClock wait;  ///< Of readers, for the command to write.
  bool taken = false;
};

struct Streams::Input {
  Input(Streams& owner, flow::Sink sink, Stream stream, std::uint64_t window_bytes)
      : inlet(owner.flow_, owner, std::move(sink), stream, window_bytes) {}
  flow::Inlet inlet;
  Verb* writer = nullptr;
  VerbList closers;
  bool taken = false;
};

Streams::Streams(flow::SharedFlow& flow, VerbQueue& verbs, StreamsOwner& owner, std::uint64_t budget_bytes,
                 bool keep_order)
    : flow_(flow), verbs_(verbs), owner_(owner), budget_(budget_bytes), keep_order_(keep_order) {}

Streams::~Streams() = default;

Result<os::UniqueFd> Streams::open(detail::SpawnPlan::Attachment& attachment, const Command::Spec& spec) {
  if (attachment.what == Attached::descriptor) return std::move(attachment.descriptor);
  if (attachment.what == Attached::terminal) return open_terminal(attachment, spec);
  const bool output = attachment.what == Attached::output_pipe;
  NR_TRY(link, StreamLink::open(attachment, output ? os::OurEnd::read : os::OurEnd::write));
  if (output) {
    add_output({std::move(link.ours), link.carrier, link.writers_key}, attachment, attachment.stream, spec);
    return std::move(link.theirs);
  }
  add_input({std::move(link.ours), link.carrier}, attachment.stream, attachment.window_bytes);
  if (attachment.what == Attached::known_input) {
    inputs_.back()->inlet.feed(std::as_bytes(std::span<const char>(spec.in.text())));
  }
  return std::move(link.theirs);
}

/// One reads, one writes: each of them owns a descriptor of the master.
Result<os::UniqueFd> Streams::open_terminal(detail::SpawnPlan::Attachment& attachment, const Command::Spec& spec) {
  NR_TRY(pty, TerminalEnd::open(spec));
  NR_TRY(writing, os::duplicate_above_stdio(pty.master.get()));
  NR_TRY(kept, os::duplicate_above_stdio(pty.slave.get()));
  terminal_.emplace(spec, std::move(kept));
  const std::uint64_t key = os::pty_key(pty.slave.get());
  add_output({std::move(pty.master), flow::Carrier::terminal, key}, attachment, terminal_->output_name(), spec);
  add_input({std::move(writing), flow::Carrier::terminal}, terminal_->input_name(), attachment.queue_bytes);
  return std::move(pty.slave);
}

void Streams::add_output(flow::Source source, const detail::SpawnPlan::Attachment& attachment, Stream name,
                         const Command::Spec& spec) {
  const flow::Outlet::Options options{.stream = name,
                                      .window_bytes = attachment.window_bytes,
                                      .chunk_bytes = attachment.chunk_bytes,
                                      .limit_bytes = spec.output_limit,
                                      .at_limit = spec.at_limit};
  outputs_.push_back(std::make_unique<Output>(*this, std::move(source), options));
  outputs_.back()->outlet.open();
}

void Streams::add_input(flow::Sink sink, Stream name, std::uint64_t window_bytes) {
  inputs_.push_back(std::make_unique<Input>(*this, std::move(sink), name, window_bytes));
}

Streams::Output* Streams::output(Stream stream) {
  if (is_terminal(stream)) stream = terminal_->output_name();
  for (const auto& output : outputs_) {
    if (output->outlet.stream() == stream) return output.get();
  }
  return nullptr;
}

Streams::Input* Streams::input(Stream stream) {
  if (is_terminal(stream)) stream = terminal_->input_name();
  for (const auto& input : inputs_) {
    if (input->inlet.stream() == stream) return input.get();
  }
  return nullptr;
}

void Streams::read(Verb& verb) {
  Output* from = output(verb.stream);
  if (from == nullptr) return verbs_.fail(verb, not_a_pipe(verb.stream));
  if (from->taken != verb.of_taker) return verbs_.fail(verb, was_taken(verb.stream));
  const bool read_by_any = !from->taken && any_reader_ != nullptr;
  if (from->reader != nullptr || read_by_any) return verbs_.fail(verb, busy(verb.stream));
  from->reader = &verb;
  if (!serve_reader(*from)) from->wait.stall(flow_.now_ns());
}

bool Streams::serve_reader(Output& output) {
  if (output.reader == nullptr) return false;
  auto& verb = static_cast<ReadVerb&>(*output.reader);
  if (detail::ChunkSlot* slot = output.outlet.take(verb.bytes_max)) {
    verb.value.emplace(Chunk(slot, slot->bytes()));
  } else if (output.outlet.ended()) {
    verb.value.emplace(std::nullopt);
  } else {
    return false;
  }
  output.reader = nullptr;
  output.wait.go_on(flow_.now_ns());
  verbs_.complete(verb);
  return true;
}

void Streams::read_any(Verb& verb) {
  if (outputs_.empty()) return verbs_.fail(verb, not_a_pipe(verb.stream));
  const auto is_taken = [](const auto& output) { return output->taken; };
  if (std::ranges::all_of(outputs_, is_taken)) return verbs_.fail(verb, was_taken(outputs_.front()->outlet.stream()));
  const auto is_read = [](const auto& output) { return !output->taken && output->reader != nullptr; };
  const auto read = std::ranges::find_if(outputs_, is_read);
  if (read != outputs_.end()) return verbs_.fail(verb, busy((*read)->outlet.stream()));
  if (any_reader_ != nullptr) return verbs_.fail(verb, busy(outputs_.front()->outlet.stream()));
  any_reader_ = &verb;
  if (serve_any()) return;
  for (const auto& output : outputs_) {
    if (!output->taken && !output->outlet.ended()) output->wait.stall(flow_.now_ns());
  }
}

/// The earliest bytes of all outputs that were not taken to whoever reads any of them.
bool Streams::serve_any() {
  if (any_reader_ == nullptr) return false;
  auto& verb = static_cast<AnyVerb&>(*any_reader_);
  Output* first = nullptr;
  bool ended = true;
  for (const auto& output : outputs_) {
    if (output->taken) continue;
    ended = ended && output->outlet.ended();
    if (!output->outlet.has_bytes()) continue;
    if (first == nullptr || output->outlet.first_arrival() < first->outlet.first_arrival()) first = output.get();
  }
  if (first != nullptr) {
    detail::ChunkSlot* slot = first->outlet.take(verb.bytes_max);
    verb.value.emplace(StreamChunk{first->outlet.stream(), Chunk(slot, slot->bytes())});
  } else if (ended) {
    verb.value.emplace(std::nullopt);
  } else {
    return false;
  }
  any_reader_ = nullptr;
  stop_waiting();
  verbs_.complete(verb);
  return true;
}

void Streams::stop_waiting() {
  for (const auto& output : outputs_) {
    if (!output->taken) output->wait.go_on(flow_.now_ns());
  }
}

void Streams::write(Verb& verb) {
  Input* to = input(verb.stream);
  if (to == nullptr) return verbs_.fail(verb, not_a_pipe(verb.stream));
  if (to->taken != verb.of_taker) return verbs_.fail(verb, was_taken(verb.stream));
  if (to->writer != nullptr) return verbs_.fail(verb, busy(verb.stream));
  to->writer = &verb;
  serve_writer(*to);
}

void Streams::serve_writer(Input& input) {
  if (input.writer == nullptr) return;
  Verb& verb = *input.writer;
  if (input.inlet.ended() || input.inlet.closing()) return end_of_input(input);
  verb.input = verb.input.subspan(input.inlet.accept(verb.input));
  if (input.writer == nullptr || !verb.input.empty()) return;  // Ended meanwhile, or waits for room.
  input.writer = nullptr;
  verbs_.complete(verb);
}

void Streams::end_of_input(Input& input) {
  if (Verb* verb = std::exchange(input.writer, nullptr)) {
    verbs_.fail(*verb, Error{ErrorCode::broken_pipe, Stage::none, EPIPE, stream_name(input.inlet.stream()),
                             input.inlet.closed_by_command() ? "the command closed it: a normal end of writing"
                                                             : "it was closed before"});
  }
  if (!input.inlet.ended()) return;
  while (Verb* verb = input.closers.pop()) verbs_.complete(*verb);
}

void Streams::close_input(Verb& verb) {
  Input* which = input(verb.stream);
  if (which == nullptr) return verbs_.fail(verb, not_a_pipe(verb.stream));
  if (which->taken != verb.of_taker) return verbs_.fail(verb, was_taken(verb.stream));
  if (which->writer != nullptr) return verbs_.fail(verb, busy(verb.stream));
  which->closers.push(verb);
  which->inlet.close();
  end_of_input(*which);
}

void Streams::close_output(Verb& verb) {
  Output* which = output(verb.stream);
  if (which == nullptr) return verbs_.fail(verb, not_a_pipe(verb.stream));
  if (which->taken != verb.of_taker) return verbs_.fail(verb, was_taken(verb.stream));
  if (which->reader != nullptr) return verbs_.fail(verb, busy(verb.stream));
  is_terminal(verb.stream) ? hang_up() : which->outlet.close();
  verbs_.complete(verb);
}

/// The kernel does it when nothing of ours has it open any more.
void Streams::hang_up() {
  output(terminal_->output_name())->outlet.close();
  input(terminal_->input_name())->inlet.abandon();
  terminal_->let_go();
}

void Streams::ask_terminal(Verb& verb) {
  if (!terminal_) return verbs_.fail(verb, no_terminal());
  if (verb.kind == VerbKind::resize) {
    if (auto resized = terminal_->resize(verb.window); !resized) return verbs_.fail(verb, std::move(resized).error());
    return verbs_.complete(verb);
  }
  auto& asked = static_cast<Awaitable<TerminalModes>&>(verb);
  auto modes = asked.value ? terminal_->change(*asked.value) : terminal_->modes();
  if (!modes) return verbs_.fail(verb, std::move(modes).error());
  asked.value = *std::move(modes);
  verbs_.complete(verb);
}

std::optional<Error> Streams::take(Stream stream, bool input) {
  Output* const from = input ? nullptr : output(stream);
  Input* const to = input ? this->input(stream) : nullptr;
  if (from == nullptr && to == nullptr) return not_a_pipe(stream);
  bool& taken = from != nullptr ? from->taken : to->taken;
  if (taken) return was_taken(stream);
  const bool in_use = from != nullptr ? from->reader != nullptr || any_reader_ != nullptr : to->writer != nullptr;
  if (in_use) return busy(stream);
  taken = true;
  return std::nullopt;
}

void Streams::untake(Stream stream, bool input) {
  if (input) {
    this->input(stream)->taken = false;
  } else {
    output(stream)->taken = false;
    (void)serve_any();  // What came meanwhile.
  }
}

void Streams::give_back(Stream stream, bool input) {
  if (input) {
    Input& to = *this->input(stream);
    to.taken = false;
    to.inlet.close();
  } else {
    Output& from = *output(stream);
    from.taken = false;
    is_terminal(stream) ? hang_up() : from.outlet.close();
  }
}

bool Streams::withdraw(Verb& verb) noexcept {
  for (const auto& output : outputs_) {
    if (output->reader != &verb) continue;
    output->reader = nullptr;
    output->wait.go_on(flow_.now_ns());
    return true;
  }
  if (any_reader_ == &verb) {
    any_reader_ = nullptr;
    stop_waiting();
    return true;
  }
  for (const auto& input : inputs_) {
    if (input->writer == &verb) return input->writer = nullptr, true;
    if (input->closers.remove(verb)) return true;
  }
  return false;
}

void Streams::output_arrived(flow::Outlet& outlet, std::uint32_t bytes) {
  owner_.bytes_arrived(outlet.stream(), bytes, outlet.total_bytes());
  if (outputs_.size() > 1) number_arrivals(outlet);
  (void)serve_any();
  (void)serve_reader(*output(outlet.stream()));  // Perhaps of one that was taken.
}

/// What the latest stream brings next may join what it brought last; the others' may not, where order is kept.
void Streams::number_arrivals(const flow::Outlet& latest) {
  ++arrivals_;
  for (const auto& output : outputs_) {
    output->outlet.number_arrivals(arrivals_, keep_order_ && &output->outlet != &latest);
  }
}

void Streams::output_returned(flow::Outlet& outlet) {
  (void)serve_any();
  (void)serve_reader(*output(outlet.stream()));
}

void Streams::output_ended(flow::Outlet& outlet) {
  (void)serve_any();
  (void)serve_reader(*output(outlet.stream()));  // Perhaps of one that was taken.
  owner_.stream_ended();
}

bool Streams::output_goes_on(flow::Outlet& outlet) {
  return is_terminal(outlet.stream()) && terminal_->reopen(outlet.fd());
}

void Streams::credit_returned() {
  if (outputs_.size() < 2) return;
  for (const auto& output : outputs_) output->outlet.credit_may_be_free();
}

void Streams::input_has_room(flow::Inlet& inlet) {
  if (Input* which = input(inlet.stream())) serve_writer(*which);
}

void Streams::input_ended(flow::Inlet& inlet) {
  if (Input* which = input(inlet.stream())) end_of_input(*which);
}

void Streams::close_unused_inputs() {
  for (const auto& input : inputs_) {
    const bool left_alone = !input->taken && !input->inlet.was_used() && !input->inlet.closing();
    // At a terminal somebody may type at any time.
    if (left_alone && !is_terminal(input->inlet.stream())) input->inlet.close();
  }
}

void Streams::disown() {
  for (const auto& output : outputs_) {
    if (output->taken) continue;
    is_terminal(output->outlet.stream()) ? hang_up() : output->outlet.discard();
  }
  for (const auto& input : inputs_) {
    if (!input->taken) input->inlet.abandon();
  }
}

void Streams::close() {
  for (const auto& output : outputs_) {
    if (output->taken) continue;
    is_terminal(output->outlet.stream()) ? hang_up() : output->outlet.close();
  }
  for (const auto& input : inputs_) {
    if (!input->taken) input->inlet.abandon();
  }
}

void Streams::cut() {
  for (const auto& output : outputs_) output->outlet.cut();
  abandon_inputs();
}

void Streams::abandon_inputs() {
  for (const auto& input : inputs_) input->inlet.abandon();
  if (terminal_) terminal_->let_go();
}

void Streams::finish_outputs(StreamEnd end) {
  for (const auto& output : outputs_) {
    if (!output->outlet.writers_are_gone()) output->outlet.finish(end);
  }
}

namespace {

/// Asked of the pipe or socket itself: on a busy machine the end of file may be there and its completion not yet.
bool is_held(const flow::Outlet& outlet) { return !outlet.ended() && !outlet.writers_are_gone(); }

}  // namespace

void Streams::note_inherited() {
  for (const auto& output : outputs_) {
    if (is_held(output->outlet)) output->outlet.note_inherited();
  }
}

std::vector<OpenPipe> Streams::held_by_others() const {
  std::vector<OpenPipe> held;
  for (const auto& output : outputs_) {
    if (!is_held(output->outlet)) continue;
    const std::uint64_t key = output->outlet.writers_key();
    if (key != 0) held.push_back({output->outlet.stream(), key});
  }
  return held;
}

bool Streams::drained(bool without_reader) const {
  return std::ranges::all_of(outputs_, [&](const auto& output) {
    return output->outlet.ended() || (without_reader && output->outlet.stands_still());
  });
}

bool Streams::any_stands_still() const {
  return std::ranges::any_of(outputs_, [](const auto& output) { return output->outlet.stands_still(); });
}

bool Streams::any_output_is_taken() const {
  return std::ranges::any_of(outputs_, [](const auto& output) { return output->taken; });
}

bool Streams::idle() const {
  return std::ranges::all_of(outputs_, [](const auto& output) { return output->outlet.idle(); }) &&
         std::ranges::all_of(inputs_, [](const auto& input) { return input->inlet.idle(); });
}

std::vector<StreamStats> Streams::stats() const {
  std::vector<StreamStats> all;
  all.reserve(inputs_.size() + outputs_.size());
  for (const auto& input : inputs_) all.push_back(input->inlet.stats());
  for (const auto& output : outputs_) {
    all.push_back(output->outlet.stats());
    all.back().waits = output->wait.stalls();
    all.back().waited_ns = output->wait.stalled_ns(flow_.now_ns());
  }
  return all;
}

std::vector<StreamSummary> Streams::summaries() const {
  std::vector<StreamSummary> all;
  all.reserve(inputs_.size() + outputs_.size());
  for (const auto& input : inputs_) all.push_back(input->inlet.summary());
  for (const auto& output : outputs_) {
    all.push_back(output->outlet.summary());
    all.back().waits = output->wait.stalls();
    all.back().waited_ns = output->wait.stalled_ns(flow_.now_ns());
  }
  return all;
}

std::string Streams::stalled_on(std::int64_t now_ns) const {
  std::string text;
  for (const auto& output : outputs_) {
    if (!output->outlet.stalled()) continue;
    const StreamStats stats = output->outlet.stats();
    if (!text.empty()) text += "; ";
    text += stream_name(stats.stream) + ": " + std::to_string(stats.held_bytes) + " bytes held by the reader for " +
            std::to_string(output->outlet.stalled_for_ns(now_ns) / 1'000'000) + " ms";
  }
  return text;
}

}  // namespace netrunner::shard
