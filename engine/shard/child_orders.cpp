/// What the outside asks of a command: verbs of its handle, stops, deadlines.

#include <signal.h>

#include <algorithm>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/deadline.hpp>

#include "engine/shard/child.hpp"
#include "engine/shard/limits.hpp"
#include "engine/shard/log_lines.hpp"
#include "engine/shard/shard.hpp"

namespace netrunner::detail {
namespace {

constexpr std::size_t signals_kept_max = 64;
constexpr Nanoseconds not_permitted_max = std::chrono::milliseconds(500);

}  // namespace

void Child::StopOrder::operator()() const noexcept { child->shard().order_stop(*child, EndReason::stopped); }

void Child::handle(Verb& verb) {
  switch (verb.kind) {
    case VerbKind::read: return streams_.read(verb);
    case VerbKind::read_any: return streams_.read_any(verb);
    case VerbKind::write: return streams_.write(verb);
    case VerbKind::close_input: return streams_.close_input(verb);
    case VerbKind::close_output: return streams_.close_output(verb);
    case VerbKind::take_output:
    case VerbKind::take_input: return take(verb);
    case VerbKind::signal: return signal(verb);
    case VerbKind::resize:
    case VerbKind::terminal_modes: return streams_.ask_terminal(verb);
    case VerbKind::process_stats:
      static_cast<Awaitable<ProcessStats>&>(verb).value.emplace(process_stats(WithUsage::yes));
      return rooms_.verbs.complete(verb);
    case VerbKind::set_limits: return set_limits(verb);
    case VerbKind::limits:
      static_cast<Awaitable<Limits>&>(verb).value.emplace(containment::read_limits(limits_.open_limited()));
      return rooms_.verbs.complete(verb);
    case VerbKind::exited:
    case VerbKind::drained:
    case VerbKind::ended: return wait_for(verb);
    case VerbKind::spawn:
    case VerbKind::shard_stats:
    case VerbKind::shard_list:
    case VerbKind::hop:
    case VerbKind::timer:
    case VerbKind::adopt:
    case VerbKind::adopted_end:
    case VerbKind::adopted_signal: NR_ASSERT(false && "not a verb of a command");
  }
}

void Child::wait_for(Verb& verb) {
  if (verb.kind == VerbKind::exited) {
    if (!leader_has_exited() && !has_ended()) return exited_verbs_.push(verb);
    static_cast<Awaitable<ExitStatus>&>(verb).value.emplace(ended_.status);
  } else if (verb.kind == VerbKind::drained) {
    if (ended_.timeline.drained_ns == 0 && !has_ended()) return drained_verbs_.push(verb);
  } else {
    streams_.close_unused_inputs();
    if (!has_ended()) return ended_verbs_.push(verb);
    ended_.streams = streams_.summaries();  // The reader may have gone on after the end.
    static_cast<Awaitable<Ended>&>(verb).value.emplace(ended_);
  }
  rooms_.verbs.complete(verb);
}

void Child::take(Verb& verb) {
  const bool input = verb.kind == VerbKind::take_input;
  if (std::optional<Error> error = streams_.take(verb.stream, input)) return rooms_.verbs.fail(verb, *std::move(error));
  ++takers_;
  if (input) {
    static_cast<Awaitable<Writer>&>(verb).value.emplace(rooms_.core, this, verb.stream);
  } else {
    static_cast<Awaitable<Reader>&>(verb).value.emplace(rooms_.core, this, verb.stream);
  }
  rooms_.verbs.complete(verb);
}

void Child::give_stream_back(Stream stream, bool input) {
  streams_.give_back(stream, input);
  --takers_;
  if (has_ended()) rooms_.shard.bury(*this);
}

bool Child::untake(Stream stream, bool input) {
  if (!owned_) return false;
  streams_.untake(stream, input);
  --takers_;
  return true;
}

void Child::signal(Verb& verb) {
  if (verb.number < 0 || verb.number > SIGRTMAX) {
    return rooms_.verbs.fail(verb, {ErrorCode::invalid_argument, Stage::none, EINVAL,
                                    "signal " + std::to_string(verb.number), "signals are 0 to 64"});
  }
  if (leader_has_exited() || has_ended()) {
    return rooms_.verbs.fail(verb, ErrorCode::already_exited, "the command has exited");
  }
  if (!rooms_.link.up()) return rooms_.verbs.fail(verb, ErrorCode::shepherd_lost, "the helper process died");
  verb.request = ++requests_;
  signal_verbs_.push(verb);
  rooms_.link.signal(id_, verb.request, verb.number, verb.target);
}

void Child::signal_sent(const wire::SignalSentFixed& sent) {
  if (ended_.signals.size() < signals_kept_max && !has_ended()) {
    ended_.signals.push_back({sent.signal, static_cast<Target>(sent.target), sent.at_ns, sent.sys_errno});
  }
  chronicle_.signal({sent.signal, static_cast<Target>(sent.target), sent.at_ns, sent.sys_errno});
  const bool last_rung = sent.request == 0 && sent.signal == SIGKILL && !leader_has_exited() && !has_ended();
  if (last_rung) {
    kill_errno_ = sent.sys_errno;
    const Nanoseconds patience = sent.sys_errno == EPERM ? not_permitted_max : shard::killed_max;
    rooms_.reactor.timers().arm(unkillable_, Deadline::after_from(now(), patience).monotonic_ns());
  }
  if (sent.request == 0) return;
  shard::VerbList others;
  while (Verb* verb = signal_verbs_.pop()) {
    if (verb->request != sent.request) {
      others.push(*verb);
    } else if (sent.sys_errno == 0) {
      rooms_.verbs.complete(*verb);
    } else {
      Error error = system_error(signal_name(sent.signal), Stage::none, sent.sys_errno);
      if (sent.sys_errno == ESRCH) error.code = ErrorCode::already_exited;
      rooms_.verbs.fail(*verb, std::move(error));
    }
  }
  signal_verbs_ = others;
}

void Child::stop_command(const wire::StopCommandFixed& run) {
  constexpr std::size_t kept_max = 16;
  auto& kept = ended_.stop_commands;
  if (has_ended() || kept.size() == kept_max) return;
  kept.reserve(kept_max);  // What is told of them points into it.
  const bool own = run.number < wire::stop_commands_max;
  const KillLadder& ladder = own || other_ladder_ == nullptr ? spec().ladder : *other_ladder_;
  StopCommandRun& told = kept.emplace_back();
  std::uint32_t number = own ? run.number : run.number - wire::stop_commands_max;
  for (const Rung& rung : ladder.rungs()) {
    if (!rung.command.empty() && number-- == 0) told.program = rung.command.front();
  }
  told.pid = run.pid;
  told.at_ns = run.at_ns;
  if (run.sys_errno != 0) {
    told.error = system_error("stop command " + told.program, static_cast<Stage>(run.stage), run.sys_errno);
    if (run.sys_errno == ECANCELED) told.error->advice = "its pause was over, or the command had ended: give it more";
  }
  chronicle_.stop_command(told);
  shard::log(rooms_.logger, told.error ? LogLevel::warning : LogLevel::debug,
             [&] { return shard::stop_command_line(number_, told); });
}

void Child::fail_signals(ErrorCode code, const char* why) {
  while (Verb* verb = signal_verbs_.pop()) rooms_.verbs.fail(*verb, code, why);
}

bool Child::withdraw(Verb& verb) noexcept {
  if (spawn_verb_ == &verb) {
    spawn_verb_ = nullptr;
    release();
    return true;
  }
  if (limits_.withdraw(verb)) return true;
  return streams_.withdraw(verb) || exited_verbs_.remove(verb) || drained_verbs_.remove(verb) ||
         ended_verbs_.remove(verb) || signal_verbs_.remove(verb);
}

void Child::stop(EndReason reason, const KillLadder* ladder, os::UniqueFd commands) {
  if (has_ended()) return;
  if (!leader_has_exited()) {
    if (!cause_) note_order(reason);
    if (commands) other_ladder_ = std::make_unique<KillLadder>(*ladder);
    if (lost_ns_ == 0 && ladder == nullptr) rooms_.link.stop(id_, spec().ladder);
    if (lost_ns_ == 0 && ladder != nullptr) rooms_.link.stop(id_, *ladder, std::move(commands));
    return;
  }
  // Only its output and its stragglers are left: the drain budget ends now.
  hurried_ = true;
  if (lost_ns_ != 0 || drain_over_) return;
  drain_over_ = true;
  rooms_.reactor.timers().arm(drain_, now());
}

/// The first order stands; what comes later may only shorten it.
void Child::note_order(EndReason reason) {
  cause_ = reason;
  ordered_ns_ = now();
  chronicle_.ordered(ordered_ns_, reason);
}

/// Its output may come before the word that it runs: a stop now would make a failed start of it.
void Child::over_limit() {
  over_limit_ = true;
  if (life_ != shard::Life::starting) stop(EndReason::output_limit);
}

void Child::deadline_passed() { stop(EndReason::deadline); }

void Child::idle_timer_fired() {
  const std::int64_t due_ns = Deadline::after_from(last_output_ns_, spec().idle_limit).monotonic_ns();
  if (now() < due_ns) return rooms_.reactor.timers().arm(idle_, due_ns);
  stop(EndReason::idle);
}

void Child::release() {
  owned_ = false;
  detached_ = detach_asked;
  if (detached_) {
    rooms_.reactor.timers().disarm(deadline_);
    rooms_.reactor.timers().disarm(idle_);
    on_stop_request_.reset();
    streams_.close();
  } else {
    streams_.disown();
    stop(EndReason::owner_gone);
  }
  if (has_ended()) rooms_.shard.bury(*this);
}

}  // namespace netrunner::detail
