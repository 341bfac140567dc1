#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netrunner/chunk.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/stats.hpp>

#include "engine/flow/credit_window.hpp"
#include "engine/flow/inlet.hpp"
#include "engine/flow/outlet.hpp"
#include "engine/shard/holder_search.hpp"
#include "engine/shard/spawn_plan.hpp"
#include "engine/shard/terminal_end.hpp"
#include "engine/shard/verb_queue.hpp"

namespace netrunner::shard {

/// What the streams of a command tell it.
class StreamsOwner {
 public:
  /// `total_bytes`: of the stream, with these.
  virtual void bytes_arrived(Stream stream, std::uint32_t bytes, std::uint64_t total_bytes) = 0;
  virtual void stalled(Stream stream) = 0;
  virtual void resumed(Stream stream, std::uint64_t stalled_ns) = 0;
  /// No chunk is free for an output.
  virtual void parked() = 0;
  virtual void stream_ended() = 0;
  virtual void over_limit() = 0;

 protected:
  ~StreamsOwner() = default;
};

/// The streams between one command and the host, and the verbs that wait on them.
/// Owner: one Child. Thread: its shard. Must be idle() before it is destroyed.
class Streams final : private flow::OutletOwner, private flow::InletOwner {
 public:
  Streams(flow::SharedFlow& flow, VerbQueue& verbs, StreamsOwner& owner, std::uint64_t budget_bytes,
          bool keep_order);

  /// Makes the pipe or the terminal of an attachment, keeps our end, returns the command's.
  [[nodiscard]] Result<os::UniqueFd> open(detail::SpawnPlan::Attachment& attachment, const Command::Spec& spec);

  void read(Verb& verb);
  void read_any(Verb& verb);
  void write(Verb& verb);
  void close_input(Verb& verb);
  void close_output(Verb& verb);
  /// A verb that asks something of the terminal.
  void ask_terminal(Verb& verb);
  /// The stream is a Reader's or Writer's from now on. An error: why not.
  [[nodiscard]] std::optional<Error> take(Stream stream, bool input);
  /// It was never had: the stream is the Process's as before.
  void untake(Stream stream, bool input);
  /// It was dropped: the stream is closed.
  void give_back(Stream stream, bool input);
  /// True: it waited here.
  bool withdraw(Verb& verb) noexcept;

  /// An input pipe that nobody wrote to ends, unless it was taken.
  void close_unused_inputs();
  /// Nobody reads or writes any more but those who took a stream; other output is read and dropped, a terminal is hung
  /// up.
  void disown();
  /// The engine ends: nothing more is read.
  void cut();
  /// Every pipe and terminal that was not taken is given up.
  void close();
  /// The leader is gone: what nobody read of the input is dropped, and nobody opens its terminal any more.
  void abandon_inputs();
  /// The drain budget ended. `held_by_others`: their end says so.
  void finish_outputs(StreamEnd end);
  void note_inherited();
  /// Outputs that others may still write to.
  [[nodiscard]] std::vector<OpenPipe> held_by_others() const;

  /// Every output has ended; `without_reader`: or can't be read on now.
  [[nodiscard]] bool drained(bool without_reader) const;
  /// A Reader has one of the outputs.
  [[nodiscard]] bool any_output_is_taken() const;
  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::vector<StreamStats> stats() const;
  [[nodiscard]] std::vector<StreamSummary> summaries() const;
  /// An output stands still for want of credit, or of a chunk.
  [[nodiscard]] bool any_stands_still() const;
  /// "stdout: 65536 bytes held by the reader for 12 s", of those that stand still.
  [[nodiscard]] std::string stalled_on(std::int64_t now_ns) const;

 private:
  struct Output;
  struct Input;

  void output_arrived(flow::Outlet& outlet, std::uint32_t bytes) override;
  void output_stalled(flow::Outlet& outlet) override { owner_.stalled(outlet.stream()); }
  void output_resumed(flow::Outlet& outlet, std::uint64_t stalled_ns) override {
    owner_.resumed(outlet.stream(), stalled_ns);
  }
  void output_returned(flow::Outlet& outlet) override;
  void output_parked(flow::Outlet&) override { owner_.parked(); }
  void output_ended(flow::Outlet& outlet) override;
  bool output_goes_on(flow::Outlet& outlet) override;
  void output_over_limit(flow::Outlet&) override { owner_.over_limit(); }
  void credit_returned() override;
  void input_has_room(flow::Inlet& inlet) override;
  void input_ended(flow::Inlet& inlet) override;
  void input_stalled(flow::Inlet& inlet) override { owner_.stalled(inlet.stream()); }
  void input_resumed(flow::Inlet& inlet, std::uint64_t stalled_ns) override {
    owner_.resumed(inlet.stream(), stalled_ns);
  }
  [[nodiscard]] Result<os::UniqueFd> open_terminal(detail::SpawnPlan::Attachment& attachment,
                                                   const Command::Spec& spec);
  void add_output(flow::Source source, const detail::SpawnPlan::Attachment& attachment, Stream name,
                  const Command::Spec& spec);
  void add_input(flow::Sink sink, Stream name, std::uint64_t window_bytes);
  void hang_up();
  [[nodiscard]] bool is_terminal(Stream stream) const noexcept { return terminal_ && terminal_->is_named_by(stream); }
  [[nodiscard]] Output* output(Stream stream);
  [[nodiscard]] Input* input(Stream stream);
  [[nodiscard]] bool serve_reader(Output& output);
  [[nodiscard]] bool serve_any();
  void number_arrivals(const flow::Outlet& latest);
  void stop_waiting();
  void serve_writer(Input& input);
  void end_of_input(Input& input);

  flow::SharedFlow& flow_;
  VerbQueue& verbs_;
  StreamsOwner& owner_;
  flow::Budget budget_;
  std::vector<std::unique_ptr<Output>> outputs_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::optional<TerminalEnd> terminal_;
  Verb* any_reader_ = nullptr;
  std::uint64_t arrivals_ = 0;
  bool keep_order_;

 public:
  ~Streams();
};

}  // namespace netrunner::shard
