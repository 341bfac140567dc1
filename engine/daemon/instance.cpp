#include "engine/daemon/instance.hpp"

#include <algorithm>
#include <utility>

#include "engine/daemon/instance_command.hpp"
#include "engine/daemon/limits.hpp"
#include "engine/daemon/text.hpp"

namespace netrunner::daemon {
namespace {

constexpr std::int64_t never_ns = INT64_MAX;

std::int64_t after(Nanoseconds duration) noexcept { return Deadline::after(duration).monotonic_ns(); }

/// "exited 3", "killed by SIGTERM (deadline)".
std::string end_text(const Ended& ended) {
  std::string text = to_string(ended.status);
  if (ended.reason != EndReason::exited && ended.reason != EndReason::signaled) {
    text += " (" + std::string(name_of(ended.reason)) + ")";
  }
  return text;
}

}  // namespace

Instance::Instance(InstanceHost& host, const Command& command, const DaemonOptions& options,
                   std::shared_ptr<const LinePattern> awaited, std::uint32_t number, std::uint64_t seed)
    : host_(host),
      command_(command),
      options_(options),
      awaited_(std::move(awaited)),
      ledger_(options.backoff, options.burst, seed) {
  status_.instance = number;
}

// ------------------------------------------------------------------------------------------------------------ events

void Instance::order_restart() {
  ledger_.forget();
  apply(LifeEvent::restart, "asked to restart");
  tell();
}

void Instance::order_stop(const std::optional<KillLadder>& ladder) {
  ladder_ = ladder;
  apply(LifeEvent::stop, "asked to stop");
  tell();
}

void Instance::run_spawned(const Run& run) {
  if (&run != run_.get()) return;
  spawned_ = ran_once_ = true;
  status_.pid = run_->process.pid();
  status_.last_error.reset();
  apply(LifeEvent::spawned, "");
  changed_ = true;
  tell();
}

void Instance::start_failed(const Run& run, Error error) {
  if (&run != run_.get()) return;
  never_started_ = true;
  why_ended_ = (life_ == Life::ending_overdue ? status_.reason + "; " : "") + error.message();
  status_.last_error = std::move(error);
  forget_run();
  apply(LifeEvent::start_failed, "asked to stop");
  tell();
}

void Instance::run_ended(const Run& run, Ended ended) {
  if (&run != run_.get()) return;
  const std::string text = end_text(ended);
  never_started_ = false;
  why_ended_ = life_ == Life::ending_overdue ? status_.reason + "; " + text : text;
  const std::string calm = life_ == Life::ending_to_stop ? "asked to stop; " + text : text;
  ready_for_ = Nanoseconds(ready_since_ns_ == 0 ? 0 : Deadline::now_ns() - ready_since_ns_);
  // Nobody here has asked for it.
  const bool engine_stopped = ended.reason == EndReason::stopped && state_of(life_) != DaemonState::stopping;
  const bool something_left = !ended.tree_empty && !engine_stopped;
  const std::string rest = ended.unkillable.empty() ? "" : ": " + ended.unkillable;
  status_.last_end = std::move(ended);
  forget_run();
  if (something_left) {
    enter(Life::failed, why_ended_ + "; processes of it are left, and beside them none is started" + rest);
  } else {
    apply(LifeEvent::ended, calm);
  }
  tell();
}

void Instance::line_matched(std::uint64_t run) {
  if (!runs() || run != run_->number) return;
  apply(LifeEvent::became_ready, "");
  tell();
}

void Instance::probed(std::uint64_t run, bool succeeded) {
  if (!runs() || run != run_->number) return;
  probing_ = false;
  if (succeeded) {
    apply(LifeEvent::became_ready, "");
  } else {
    next_poll_ns_ = after(probe_pause_);
  }
  tell();
}

void Instance::look() {
  const std::int64_t now = Deadline::now_ns();
  if (life_ == Life::waiting) look_at_conditions();
  if (runs()) look_at_messages();
  if (life_ == Life::up) look_at_readiness();
  if ((life_ == Life::spawning || life_ == Life::up) && now >= ready_until_ns_) {
    apply(LifeEvent::overdue, "not ready within " + duration_text(options_.ready_timeout));
  }
  if (life_ == Life::ready && now >= watchdog_until_ns_) {
    apply(LifeEvent::overdue, "no sign of life within " + duration_text(watchdog_) + " (WATCHDOG=1)");
  }
  if (life_ == Life::backing_off && now >= status_.next_start_ns) apply(LifeEvent::delay_over, "");
  tell();
}

std::int64_t Instance::due_ns() const noexcept {
  switch (life_) {
    case Life::waiting: return std::min(next_poll_ns_, conditions_until_ns_);
    case Life::spawning: return ready_until_ns_;
    case Life::up: return std::min(next_poll_ns_, ready_until_ns_);
    case Life::ready: return watchdog_until_ns_;
    case Life::backing_off: return status_.next_start_ns;
    default: return never_ns;
  }
}

void Instance::watch(std::vector<pollfd>& fds) const {
  if (notify_ && runs()) fds.push_back({.fd = notify_->fd(), .events = POLLIN, .revents = 0});
  port_.watch(fds);
}

// -------------------------------------------------------------------------------------------------------------- life

void Instance::apply(LifeEvent event, std::string reason) {
  const LifeStep now = step(life_, event);
  enter(now.next, std::move(reason));
  perform(now.deed);
}

void Instance::enter(Life life, std::string reason) {
  if (life == life_) return;
  const DaemonState before = status_.state;
  life_ = life;
  status_.state = state_of(life);
  status_.reason = std::move(reason);
  if (status_.state != before) status_.since_ns = Deadline::now_ns();
  if (life != Life::backing_off) status_.next_start_ns = 0;
  if (life == Life::ready) {
    ready_since_ns_ = Deadline::now_ns();
    rearm_watchdog();
  }
  changed_ = true;
}

void Instance::tell() {
  if (!std::exchange(changed_, false)) return;
  status_.ends_in_row = ledger_.ends_in_row();
  host_.changed(status_, runs() ? run_ : nullptr);
}

void Instance::perform(Deed deed) {
  switch (deed) {
    case Deed::none: return;
    case Deed::begin: return begin();
    case Deed::spawn: return spawn();
    case Deed::greet: return greet();
    case Deed::order_end: return order_end();
    case Deed::judge: return judge();
    case Deed::give_up: status_.waited_in_vain = true; return;
  }
}

void Instance::begin() {
  ladder_.reset();
  condition_ = 0;
  status_.waited_in_vain = false;
  port_.forget();
  conditions_until_ns_ = after(options_.wait_for_timeout);
  next_poll_ns_ = 0;
  look_at_conditions();
}

void Instance::spawn() {
  run_ = std::make_shared<Run>(status_.instance, ++runs_);
  run_->line_bytes_max = options_.line_bytes_max;
  run_->awaited = awaited_;
  spawned_ = false;
  ready_since_ns_ = 0;
  ready_for_ = Nanoseconds{0};
  status_.starts += 1;
  status_.restarts = status_.starts - 1;
  status_.status_text.clear();
  status_.reloading = false;
  ready_until_ns_ = after(options_.ready_timeout);
  watchdog_ = options_.watchdog;
  watchdog_until_ns_ = never_ns;
  if (wants_notifications()) {
    auto socket = NotifySocket::open();
    if (!socket) return start_failed(*run_, std::move(socket).error());
    notify_ = std::move(*socket);
  }
  const Command command = command_for_run();
  run_->streams = streams_to_us(command);
  host_.spawn(run_, command);
}

void Instance::greet() {
  if (notify_) members_ = Membership(status_.pid, run_->containment, "NOTIFY_SOCKET=" + notify_->address());
  probing_ = false;
  probe_pause_ = probe_poll_first;
  next_poll_ns_ = never_ns;
  switch (options_.ready.kind()) {
    case Ready::Kind::started: return apply(LifeEvent::became_ready, "");
    case Ready::Kind::port:
    case Ready::Kind::command: next_poll_ns_ = 0; return look_at_readiness();
    case Ready::Kind::line:
    case Ready::Kind::notify: return;
  }
}

void Instance::order_end() {
  if (!runs()) {
    if (run_ != nullptr) run_->taken_back.request_stop();
  } else if (ladder_) {
    run_->process.stop(numbered(*ladder_, status_.instance, options_.instances));
  } else {
    run_->process.stop();
  }
}

void Instance::forget_run() {
  if (run_ != nullptr) run_->taken_back.request_stop();  // Ends a probe that is under way.
  run_.reset();
  notify_.reset();
  port_.forget();
  spawned_ = false;
  status_.pid = 0;
  status_.reloading = false;
  changed_ = true;
}

bool Instance::wants_notifications() const noexcept {
  return options_.ready.kind() == Ready::Kind::notify || options_.watchdog != Nanoseconds::max();
}

Command Instance::command_for_run() const {
  Command command = numbered(command_, status_.instance, options_.instances);
  if (notify_) command = command.env("NOTIFY_SOCKET", notify_->address());
  if (options_.watchdog != Nanoseconds::max()) {
    const auto time = std::chrono::ceil<std::chrono::microseconds>(options_.watchdog);
    command = command.env("WATCHDOG_USEC", std::to_string(time.count()));
  }
  return command;
}

}  // namespace netrunner::daemon
