#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <netrunner/command.hpp>
#include <netrunner/event.hpp>

#include "engine/shard/event_queue.hpp"

namespace netrunner::shard {

/// What is told of one command. Its order is kept whatever the order in which the host learns things: output may be
/// read before the word that the command runs, and is told after it. Nothing is told after `gone`.
/// Owner: one Child, which outlives all_told(). Thread: its shard's.
class Chronicle {
 public:
  Chronicle(EventQueue& events, std::uint64_t command, const Command::Spec& spec) noexcept
      : events_(events), spec_(spec), command_(command), wanted_(events.tells_all() || spec.on_event) {}
  Chronicle(const Chronicle&) = delete;
  Chronicle& operator=(const Chronicle&) = delete;

  void queued(std::int64_t at_ns) {
    if (wanted_) add(made(EventKind::queued, at_ns));
  }
  void started(pid_t pid, std::int64_t spawned_ns, std::int64_t exec_ns);
  void start_failed(std::int64_t at_ns, const Error& error);
  void output(std::int64_t at_ns, Stream stream, std::uint64_t bytes, std::uint64_t total_bytes);
  void stalled(std::int64_t at_ns, Stream stream);
  void resumed(std::int64_t at_ns, Stream stream, std::uint64_t stalled_ns);
  /// Its end was ordered: by a limit, or by someone.
  void ordered(std::int64_t at_ns, EndReason reason);
  void signal(const SignalSent& sent);
  /// `run` must stay where it is until all_told().
  void stop_command(const StopCommandRun& run);
  void exited(std::int64_t at_ns, const ExitStatus& status);
  void drained(std::int64_t at_ns) {
    if (wanted_) tell(made(EventKind::drained, at_ns));
  }
  /// `ended` must stay where it is until all_told().
  void gone(std::int64_t at_ns, const Ended& ended);

  [[nodiscard]] bool all_told() const noexcept { return untold_ == 0; }

 private:
  [[nodiscard]] Event made(EventKind kind, std::int64_t at_ns) const noexcept;
  void tell(const Event& event);
  void add(const Event& event) { events_.add(event, &spec_.on_event, &untold_); }
  void tell_kept();

  EventQueue& events_;
  const Command::Spec& spec_;
  std::uint64_t command_;
  pid_t pid_ = 0;
  bool wanted_;
  bool started_ = false;
  std::uint32_t untold_ = 0;
  std::vector<Event> kept_;  ///< Until it is known whether it runs.
  Error failure_;
};

}  // namespace netrunner::shard
