#include "engine/shard/child.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <limits>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/deadline.hpp>

#include "engine/os/pidfd.hpp"
#include "engine/shard/limits.hpp"
#include "engine/shard/log_lines.hpp"
#include "engine/shard/shard.hpp"
#include "engine/shard/start_failure.hpp"

namespace netrunner::detail {
namespace {

using shard::Life;
using shard::LifeAction;
using shard::LifeEvent;

/// After the group was killed its pipes end at once, unless an escapee holds one.
constexpr Nanoseconds end_of_file_grace = std::chrono::milliseconds(250);
constexpr Nanoseconds lost_poll = std::chrono::milliseconds(2);

std::int64_t later(std::int64_t from_ns, Nanoseconds pause) {
  return Deadline::after_from(from_ns, pause).monotonic_ns();
}

const char* why_unkillable(int kill_errno) {
  return kill_errno == EPERM ? "it may not be killed by this user (EPERM): it changed its user id"
                             : "it outlives SIGKILL: in uninterruptible sleep (state D), or traced";
}

ExitStatus status_of(const wire::ExitedFixed& exited) {
  switch (exited.end_code) {
    case CLD_EXITED: return Exited{exited.end_status};
    case CLD_KILLED: return Signaled{exited.end_status, false};
    case CLD_DUMPED: return Signaled{exited.end_status, true};
    default: return Unknown{};
  }
}

}  // namespace

Child::Child(shard::Rooms& rooms, wire::ChildId id, std::uint64_t number, std::unique_ptr<SpawnPlan> plan)
    : rooms_(rooms),
      id_(id),
      number_(number),
      plan_(std::move(plan)),
      chronicle_(rooms.events, number, spec()),
      streams_(rooms.flow, rooms.verbs, *this, plan_->budget_bytes, spec().keep_order),
      limits_(rooms.reactor, rooms.verbs, rooms.shard.groups()),
      deadline_(this, [](void* self) { static_cast<Child*>(self)->deadline_passed(); }),
      idle_(this, [](void* self) { static_cast<Child*>(self)->idle_timer_fired(); }),
      drain_(this, [](void* self) { static_cast<Child*>(self)->drain_timer_fired(); }),
      unkillable_(this, [](void* self) { static_cast<Child*>(self)->give_up_killing(); }) {
  release_letter.child = this;
  release_letter.open = [](Letter& letter) noexcept { static_cast<ReleaseLetter&>(letter).child->release(); };
  ended_.timeline.queued_ns = plan_->queued_ns;
  ended_.success_codes = spec().success_codes;
}

Child::~Child() = default;

void Child::begin(Verb& verb) {
  spawn_verb_ = &verb;
  chronicle_.queued(plan_->queued_ns);
  if (plan_->stop.stop_requested()) {
    return fail_start({ErrorCode::cancelled, Stage::none, 0, spec().program, "its stop token was triggered before"});
  }
  if (!rooms_.link.up()) return fail_start(rooms_.link.failure());
  const std::int64_t deadline_ns = later(plan_->queued_ns, spec().deadline);
  // Sent all the same, it might be started before the timer is looked at.
  if (deadline_ns <= Deadline::now_ns()) return fail_start(shard::stopped_before_start(spec(), EndReason::deadline));
  if (plan_->limits != nullptr && !prepare_limits()) return;
  std::vector<os::UniqueFd> descriptors;
  if (plan_->body_memfd) descriptors.push_back(std::move(plan_->body_memfd));
  if (plan_->stop_commands) descriptors.push_back(std::move(plan_->stop_commands));
  if (plan_->cwd) descriptors.push_back(std::move(plan_->cwd));
  for (SpawnPlan::Attachment& attachment : plan_->attachments) {
    auto end = streams_.open(attachment, spec());
    if (!end) return fail_start(shard::descriptor_failure(std::move(end).error()));
    descriptors.push_back(std::move(*end));
  }
  plan_->fixed.id = id_;
  rooms_.link.spawn(plan_->fixed, plan_->body, std::move(descriptors));
  rooms_.reactor.timers().arm(deadline_, deadline_ns);
  if (plan_->stop.stop_possible()) on_stop_request_.emplace(plan_->stop, StopOrder{this});
}

void Child::apply(LifeEvent event) {
  const auto [next, action] = shard::step(life_, event);
  life_ = next;
  switch (action) {
    case LifeAction::none: return;
    case LifeAction::report_start: return report_start();
    case LifeAction::report_failure: return;  // fail_start says it.
    case LifeAction::drain: return begin_drain();
    case LifeAction::settle: return settle();
    case LifeAction::note_settled: return note_settled();
    case LifeAction::end: return end();
    case LifeAction::give_up: return give_up();
    case LifeAction::impossible: NR_ASSERT(false && "the treaty was broken");
  }
}

void Child::fail_start(Error error) {
  on_stop_request_.reset();
  for (reactor::Timer* timer : {&deadline_, &unkillable_}) rooms_.reactor.timers().disarm(*timer);
  ++rooms_.stats.start_failures;
  chronicle_.start_failed(now(), error);
  shard::log(rooms_.logger, LogLevel::debug, [&] { return shard::start_failed_line(number_, error); });
  life_ = Life::ended;
  owned_ = false;
  streams_.close();
  if (Verb* verb = std::exchange(spawn_verb_, nullptr)) rooms_.verbs.fail(*verb, std::move(error));
  rooms_.shard.bury(*this);
}

void Child::started(const wire::StartedFixed& started, os::UniqueFd pidfd) {
  if (has_ended()) return;
  pidfd_ = std::move(pidfd);
  // In a PID namespace the shepherd knows another number than we do.
  const bool inside = rooms_.shard.containment() == Containment::pid_namespace;
  ended_.pid = inside && pidfd_ ? os::pid_of(pidfd_.get()) : started.pid;
  ended_.containment = rooms_.shard.containment();
  ended_.timeline.spawned_ns = started.spawned_ns;
  ended_.timeline.exec_ns = started.exec_ns;
  note_limits(started);
  chronicle_.started(ended_.pid, started.spawned_ns, started.exec_ns);
  rooms_.stats.spawn_latency.add(started.exec_ns - plan_->queued_ns);
  shard::log(rooms_.logger, LogLevel::debug, [&] { return shard::started_line(number_, spec().program, ended_.pid); });
  apply(LifeEvent::started);
}

void Child::report_start() {
  ++rooms_.stats.started;
  ++rooms_.stats.running;
  plan_->body = std::vector<std::byte>();
  plan_->attachments.clear();
  last_output_ns_ = std::max(last_output_ns_, now());
  rooms_.reactor.timers().arm(idle_, later(last_output_ns_, spec().idle_limit));
  Verb* verb = std::exchange(spawn_verb_, nullptr);
  if (verb == nullptr) return;  // Its owner has gone; the stop is on its way.
  static_cast<Awaitable<Process>*>(verb)->value.emplace(rooms_.core, this, ended_.pid, number_);
  rooms_.verbs.complete(*verb);
  if (over_limit_) stop(EndReason::output_limit);
}

void Child::start_failed(const wire::StartFailedFixed& failed, std::string_view path, std::string_view head) {
  if (quarantined_) return leave_quarantine(true);
  if (has_ended()) return;
  Error error = shard::start_failure(spec(), {failed, path, head}, plan_->limits.get());
  if (failed.sys_errno == ECANCELED && cause_) error = shard::stopped_before_start(spec(), *cause_);
  if (failed.sys_errno == ECANCELED && rooms_.shard.is_closing()) {
    error = {ErrorCode::engine_closed, Stage::none, 0, spec().program, "the engine was closed while it was starting"};
  }
  apply(LifeEvent::start_failed);
  fail_start(std::move(error));
}

void Child::exited(const wire::ExitedFixed& exited) {
  if (quarantined_) return leave_quarantine(exited.alone != 0);
  if (has_ended()) return;
  ended_.status = status_of(exited);
  ended_.usage.user_us = exited.user_us;
  ended_.usage.system_us = exited.system_us;
  ended_.usage.max_rss_kib = exited.max_rss_kib;
  note_usage(exited.usage);
  ended_.timeline.exited_ns = exited.exited_ns;
  ended_.stragglers = exited.stragglers;
  settled_ = exited.alone != 0;
  if (settled_) ended_.timeline.gone_ns = exited.exited_ns;
  rooms_.reactor.timers().disarm(idle_);
  rooms_.reactor.timers().disarm(unkillable_);
  if (reason() == EndReason::out_of_memory) chronicle_.ordered(exited.exited_ns, EndReason::out_of_memory);
  chronicle_.exited(exited.exited_ns, ended_.status);
  apply(LifeEvent::exited);
}

void Child::begin_drain() {
  streams_.abandon_inputs();
  fail_signals(ErrorCode::already_exited, "the command has exited");
  tell_exited();
  if (streams_.drained(false)) return stream_ended();
  arm_drain_timer();
}

void Child::tell_exited() {
  while (Verb* verb = exited_verbs_.pop()) {
    static_cast<Awaitable<ExitStatus>*>(verb)->value.emplace(ended_.status);
    rooms_.verbs.complete(*verb);
  }
}

void Child::arm_drain_timer() {
  // Nobody will read what may still come, or ask who could have written it.
  if (!has_reader()) {
    drain_over_ = hurried_ = true;
    return rooms_.reactor.timers().arm(drain_, now());
  }
  const std::int64_t exited_ns = ended_.timeline.exited_ns;
  const std::int64_t max_ns = later(exited_ns, spec().drain.max);
  const std::int64_t idle_ns = later(std::max(exited_ns, last_output_ns_), spec().drain.idle);
  // A stream that stands still for want of credit or of a chunk is not silent: only the hard maximum ends it.
  const bool standing = streams_.any_stands_still();
  rooms_.reactor.timers().arm(drain_, standing ? max_ns : std::min(max_ns, idle_ns));
}

void Child::drain_timer_fired() {
  if (lost_ns_ != 0) return watch_the_lost();
  if (!drain_over_) {
    const std::int64_t max_ns = later(ended_.timeline.exited_ns, spec().drain.max);
    const std::int64_t idle_ns = later(std::max(ended_.timeline.exited_ns, last_output_ns_), spec().drain.idle);
    const bool standing = streams_.any_stands_still();
    if (now() < max_ns && (standing || now() < idle_ns)) return arm_drain_timer();
  }
  // Past the budget: what readers have not taken stays readable, what others may still write is cut.
  if (!holders_are_known()) return rooms_.reactor.timers().arm(drain_, now() + 1);
  reader_excused_ = true;
  streams_.note_inherited();
  if (settled_) streams_.finish_outputs(StreamEnd::inherited);
  drain_over_ = true;
  apply(LifeEvent::drain_over);
  complete_if_done();
}

/// Before its stragglers are stopped: afterwards they hold nothing. Asked again when others than they still do. False:
/// the search goes on in the next turn; a stop doesn't wait for it.
bool Child::holders_are_known() {
  if (!has_reader()) return true;
  if (holder_inquiry_ == nullptr) {
    std::vector<shard::OpenPipe> pipes = streams_.held_by_others();
    if (pipes.empty()) return true;
    holder_inquiry_ = rooms_.shard.ask_holders(std::move(pipes));
  }
  if (!holder_inquiry_->over(now()) && !hurried_) return false;
  for (const PipeHolder& holder : holder_inquiry_->found()) {
    const bool known = std::ranges::find(ended_.holders, holder) != ended_.holders.end();
    if (!known && ended_.holders.size() < Ended::holders_max) ended_.holders.push_back(holder);
  }
  holder_inquiry_.reset();
  return true;
}

void Child::settle() {
  drain_over_ = true;
  const bool leave = spec().stragglers == Stragglers::leave;
  // The next shepherd knows nothing of it, and would say so: watch_the_lost() tells.
  if (!settled_ && lost_ns_ == 0) rooms_.link.settle(id_, leave ? wire::SettlePolicy::leave : wire::SettlePolicy::stop);
}

void Child::settled(const wire::SettledFixed& settled) {
  if (quarantined_) return leave_quarantine(true);
  if (has_ended()) return;
  ended_.stragglers = std::max(ended_.stragglers, settled.stragglers);
  ended_.tree_empty = settled.tree_empty != 0;
  note_usage(settled.usage);
  ended_.timeline.gone_ns = settled.tree_empty != 0 ? settled.gone_ns : 0;
  settled_ = true;
  apply(LifeEvent::settled);
}

void Child::note_settled() {
  if (!streams_.drained(reader_excused_)) {
    const bool leave = spec().stragglers == Stragglers::leave;
    rooms_.reactor.timers().arm(drain_, leave ? now() : later(now(), end_of_file_grace));
  }
  complete_if_done();
}

void Child::bytes_arrived(Stream stream, std::uint32_t bytes, std::uint64_t total_bytes) {
  chronicle_.output(now(), stream, bytes, total_bytes);
  last_output_ns_ = now();
  if (ended_.timeline.first_byte_ns == 0) ended_.timeline.first_byte_ns = last_output_ns_;
}

void Child::stalled(Stream stream) {
  chronicle_.stalled(now(), stream);
  read_no_further();
}

/// The end doesn't wait for a reader that is excused. From a turn of its own: the stream is in the middle of one.
void Child::read_no_further() {
  if (reader_excused_ && !has_ended()) rooms_.reactor.timers().arm(drain_, now());
}

void Child::stream_ended() {
  if (!leader_has_exited() && lost_ns_ == 0) return;
  if (has_ended()) return rooms_.shard.bury(*this);
  if (!streams_.drained(reader_excused_)) return;
  apply(LifeEvent::drain_over);
  complete_if_done();
}

void Child::complete_if_done() {
  if (has_ended() || !streams_.drained(reader_excused_)) return;
  note_drained();
  if (settled_) apply(LifeEvent::complete);
}

void Child::note_drained() {
  // The shepherd's clock was read in its turn, ours in ours.
  if (ended_.timeline.drained_ns == 0) {
    ended_.timeline.drained_ns = std::max(now(), ended_.timeline.exited_ns);
    chronicle_.drained(ended_.timeline.drained_ns);
  }
  while (Verb* verb = drained_verbs_.pop()) rooms_.verbs.complete(*verb);
}

/// It outlived SIGKILL, or may not be killed: the caller has waited long enough. The shepherd goes on watching it, and
/// its slot isn't used again before it has gone.
void Child::give_up_killing() {
  if (leader_has_exited() || has_ended() || lost_ns_ != 0) return;
  set_quarantined(true);
  ended_.unkillable = why_unkillable(kill_errno_);
  shard::log(rooms_.logger, LogLevel::warning,
             [&] { return shard::quarantine_line(number_, spec().program, ended_.pid, ended_.unkillable); });
  if (life_ == Life::starting) {
    Error error = shard::stopped_before_start(spec(), cause_.value_or(EndReason::stopped));
    error.advice += "; " + ended_.unkillable;
    return fail_start(std::move(error));
  }
  ended_.tree_empty = false;
  streams_.finish_outputs(StreamEnd::inherited);
  streams_.abandon_inputs();
  fail_signals(ErrorCode::permission_denied, "it can't be killed");
  reader_excused_ = true;
  note_drained();
  life_ = Life::ended;
  end();
}

void Child::leave_quarantine(bool gone) {
  if (!gone) return rooms_.link.settle(id_, wire::SettlePolicy::stop);
  set_quarantined(false);
  shard::log(rooms_.logger, LogLevel::info,
             [&] { return shard::left_quarantine_line(number_, spec().program, ended_.pid); });
  rooms_.shard.bury(*this);
}

void Child::end() {
  for (reactor::Timer* timer : {&deadline_, &idle_, &drain_, &unkillable_}) rooms_.reactor.timers().disarm(*timer);
  on_stop_request_.reset();
  holder_inquiry_.reset();
  // Whoever reads on later gets what was written by now, and nothing of those who write on.
  if (reader_excused_) streams_.finish_outputs(StreamEnd::inherited);
  // Gone is the last of the facts: nobody is left, and nothing comes any more.
  auto& times = ended_.timeline;
  if (times.gone_ns != 0) times.gone_ns = std::max(times.gone_ns, times.drained_ns);
  limits_.end();
  ended_.reason = reason();
  ended_.streams = streams_.summaries();
  ended_.stalled_on = streams_.stalled_on(now());
  ++rooms_.stats.ended;
  --rooms_.stats.running;
  ++rooms_.stats.ended_by_reason[static_cast<std::size_t>(ended_.reason)];
  if (ordered_ns_ != 0) rooms_.stats.stop_latency.add(now() - ordered_ns_);
  chronicle_.gone(now(), ended_);
  shard::log(rooms_.logger, LogLevel::debug, [&] { return shard::ended_line(number_, spec().program, ended_); });
  pidfd_.reset();
  tell_exited();
  fail_signals(ErrorCode::already_exited, "the command has ended");
  while (Verb* verb = ended_verbs_.pop()) {
    static_cast<Awaitable<Ended>*>(verb)->value.emplace(ended_);
    rooms_.verbs.complete(*verb);
  }
  rooms_.shard.bury(*this);
}

void Child::shepherd_lost() {
  if (quarantined_) {  // Nobody is left who could tell of its end, and no other shepherd knows its slot.
    set_quarantined(false);
    rooms_.shard.bury(*this);
  }
  if (has_ended()) return;
  if (life_ == Life::starting) {
    life_ = Life::ended;
    return fail_start({ErrorCode::shepherd_lost, Stage::treaty, 0, spec().program,
                       "the helper process died while it was starting this; a new one takes the next"});
  }
  apply(LifeEvent::lost);
}

void Child::give_up() {
  // The group too: without a leaf or a mark nobody else knows who is in it.
  if (pidfd_ && spec().grouping != Grouping::join) (void)os::signal_group_of(pidfd_.get(), SIGKILL);
  if (pidfd_) kill_errno_ = os::signal_pidfd(pidfd_.get(), SIGKILL);
  if (!leader_has_exited()) cause_ = EndReason::shepherd_lost;
  lost_ns_ = now();
  limits_.lost();
  rooms_.reactor.timers().disarm(idle_);
  rooms_.reactor.timers().disarm(unkillable_);
  streams_.abandon_inputs();
  fail_signals(ErrorCode::shepherd_lost, "the helper process died");
  tell_exited();
  watch_the_lost();
}

/// Its leader dies of our own SIGKILL; init reaps it. Until then, or for a bounded time, the end waits: a whole
/// shepherd's commands die at once, and a busy machine takes more than a second to bury some hundred processes.
void Child::watch_the_lost() {
  const bool leader_dead = !pidfd_ || os::has_ended(pidfd_.get());
  const bool dead = leader_dead && rooms_.shard.the_dead_are_gone();
  const bool over = now() >= later(lost_ns_, shard::killed_max);
  if ((!dead || !streams_.drained(true)) && !over) {
    return rooms_.reactor.timers().arm(drain_, later(now(), lost_poll));
  }
  if (ended_.timeline.exited_ns == 0) ended_.timeline.exited_ns = now();
  // With either of these, none that was counted before can have outlived its group or its init.
  const bool exact = ended_.containment == Containment::cgroup || ended_.containment == Containment::pid_namespace;
  ended_.tree_empty = dead && (exact || ended_.stragglers == 0);
  if (!leader_dead) ended_.unkillable = why_unkillable(kill_errno_);
  settled_ = drain_over_ = reader_excused_ = true;
  streams_.finish_outputs(StreamEnd::lost);
  complete_if_done();
  if (!has_ended()) rooms_.reactor.timers().arm(drain_, later(now(), lost_poll));
}

void Child::force_end() {
  if (life_ == Life::starting) {
    return fail_start({ErrorCode::engine_closed, Stage::none, 0, spec().program, "the engine was closed"});
  }
  if (has_ended()) return;
  if (pidfd_) (void)os::signal_pidfd(pidfd_.get(), SIGKILL);
  ended_.tree_empty = false;
  fail_signals(ErrorCode::engine_closed, "the engine was closed");
  note_drained();
  life_ = Life::ended;
  end();
}

}  // namespace netrunner::detail
