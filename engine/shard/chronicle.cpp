#include "engine/shard/chronicle.hpp"

namespace netrunner::shard {

Event Chronicle::made(EventKind kind, std::int64_t at_ns) const noexcept {
  Event event;
  event.kind = kind;
  event.at_ns = at_ns;
  event.command = command_;
  event.pid = pid_;
  event.program = spec_.program;
  return event;
}

void Chronicle::tell(const Event& event) {
  if (started_) return add(event);
  kept_.push_back(event);
}

void Chronicle::tell_kept() {
  started_ = true;
  for (Event& event : kept_) {
    event.pid = pid_;
    add(event);
  }
  kept_ = std::vector<Event>();
}

void Chronicle::started(pid_t pid, std::int64_t spawned_ns, std::int64_t exec_ns) {
  if (!wanted_) return;
  pid_ = pid;
  add(made(EventKind::spawned, spawned_ns));
  add(made(EventKind::exec, exec_ns));
  tell_kept();
}

void Chronicle::start_failed(std::int64_t at_ns, const Error& error) {
  if (!wanted_) return;
  failure_ = error;
  tell_kept();
  Event event = made(EventKind::start_failed, at_ns);
  event.error = &failure_;
  add(event);
  wanted_ = false;
}

void Chronicle::output(std::int64_t at_ns, Stream stream, std::uint64_t bytes, std::uint64_t total_bytes) {
  if (!wanted_) return;
  if (!kept_.empty() && kept_.back().kind == EventKind::output && kept_.back().stream == stream) {
    kept_.back().bytes += bytes;
    kept_.back().total_bytes = total_bytes;
    return;
  }
  Event event = made(EventKind::output, at_ns);
  event.stream = stream;
  event.bytes = bytes;
  event.total_bytes = total_bytes;
  tell(event);
}

void Chronicle::stalled(std::int64_t at_ns, Stream stream) {
  if (!wanted_) return;
  Event event = made(EventKind::stalled, at_ns);
  event.stream = stream;
  tell(event);
}

void Chronicle::resumed(std::int64_t at_ns, Stream stream, std::uint64_t stalled_ns) {
  if (!wanted_) return;
  Event event = made(EventKind::resumed, at_ns);
  event.stream = stream;
  event.stalled_ns = stalled_ns;
  tell(event);
}

void Chronicle::ordered(std::int64_t at_ns, EndReason reason) {
  if (!wanted_) return;
  const bool asked = reason == EndReason::stopped || reason == EndReason::owner_gone;
  Event event = made(asked ? EventKind::stop : EventKind::limit, at_ns);
  event.reason = reason;
  tell(event);
}

void Chronicle::signal(const SignalSent& sent) {
  if (!wanted_) return;
  Event event = made(EventKind::signal, sent.at_ns);
  event.signal = sent;
  tell(event);
}

void Chronicle::stop_command(const StopCommandRun& run) {
  if (!wanted_) return;
  Event event = made(EventKind::stop_command, run.at_ns);
  event.stop_command = &run;
  tell(event);
}

void Chronicle::exited(std::int64_t at_ns, const ExitStatus& status) {
  if (!wanted_) return;
  Event event = made(EventKind::exited, at_ns);
  event.status = status;
  tell(event);
}

void Chronicle::gone(std::int64_t at_ns, const Ended& ended) {
  if (!wanted_) return;
  Event event = made(EventKind::gone, at_ns);
  if (!started_) tell_kept();
  event.reason = ended.reason;
  event.status = ended.status;
  event.ended = &ended;
  tell(event);
  wanted_ = false;
}

}  // namespace netrunner::shard
