/// What an instance waits for: conditions of its start, signs that it is ready, messages.

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/daemon/instance.hpp"
#include "engine/daemon/instance_command.hpp"
#include "engine/daemon/limits.hpp"
#include "engine/daemon/text.hpp"

namespace netrunner::daemon {
namespace {

constexpr std::int64_t never_ns = INT64_MAX;

std::int64_t after(Nanoseconds duration) noexcept { return Deadline::after(duration).monotonic_ns(); }

std::string text_of(const WaitFor& condition) {
  return condition.path.empty() ? "port " + std::to_string(condition.port) : condition.path;
}

}  // namespace

void Instance::look_at_conditions() {
  const std::vector<WaitFor>& all = options_.wait_for;
  while (condition_ < all.size() && is_met(all[condition_])) ++condition_;
  if (condition_ == all.size()) return apply(LifeEvent::conditions_met, "");
  if (Deadline::now_ns() >= conditions_until_ns_) {
    port_.forget();
    return apply(LifeEvent::conditions_overdue, "waited " + duration_text(options_.wait_for_timeout) + " for " +
                                                    text_of(all[condition_]) + ", which isn't there");
  }
  if (next_poll_ns_ <= Deadline::now_ns()) next_poll_ns_ = after(wait_poll);
  const std::string why = "waits for " + text_of(all[condition_]);
  changed_ = changed_ || status_.reason != why;
  status_.reason = why;
}

bool Instance::is_met(const WaitFor& condition) {
  if (!condition.path.empty()) return ::access(condition.path.c_str(), F_OK) == 0;
  if (!port_.under_way()) {
    if (Deadline::now_ns() < next_poll_ns_) return false;
    port_.begin(condition.port);
  }
  return port_.look() == PortProbe::Answer::open;
}

void Instance::look_at_readiness() {
  if (options_.ready.kind() == Ready::Kind::port) look_at_port();
  if (options_.ready.kind() == Ready::Kind::command) look_at_command();
}

void Instance::look_at_port() {
  if (!port_.under_way()) {
    if (Deadline::now_ns() < next_poll_ns_) return;
    port_.begin(options_.ready.port_number());
  }
  const PortProbe::Answer answer = port_.look();
  if (answer == PortProbe::Answer::open) return apply(LifeEvent::became_ready, "");
  next_poll_ns_ = after(probe_pause_);
  if (answer == PortProbe::Answer::closed) probe_pause_ = std::min(probe_pause_ * 2, probe_poll_longest);
}

void Instance::look_at_command() {
  if (probing_ || Deadline::now_ns() < next_poll_ns_) return;
  probing_ = true;
  next_poll_ns_ = never_ns;
  probe_pause_ = std::min(probe_pause_ * 2, probe_poll_longest);
  Command probe = numbered(*options_.ready.probe(), status_.instance, options_.instances);
  if (!probe.spec().out) probe = probe.out(Stdio::null());
  if (!probe.spec().err) probe = probe.err(Stdio::null());
  if (probe.spec().deadline == Nanoseconds::max()) probe = probe.deadline(probe_deadline);
  host_.probe(*run_, probe, run_->taken_back.get_token());
}

void Instance::look_at_messages() {
  for (int message = 0; notify_ && message < notifications_per_turn; ++message) {
    const auto received = notify_->receive();
    if (!received) return;
    if (received->text.empty() || !members_.has(received->sender)) {
      ++status_.refused_messages;
      changed_ = true;
    } else {
      take(parse_notification(received->text));
    }
  }
}

void Instance::take(const Notification& told) {
  if (told.status) {
    status_.status_text = *told.status;
    changed_ = true;
  }
  if (told.extend && life_ == Life::up) {
    ready_until_ns_ = std::max(ready_until_ns_, after(*told.extend));
  }
  if (told.reloading != status_.reloading && (told.reloading || told.ready)) {
    status_.reloading = told.reloading;
    changed_ = true;
  }
  if (told.ready && options_.ready.kind() == Ready::Kind::notify) apply(LifeEvent::became_ready, "");
  if (told.watchdog_time && options_.watchdog != Nanoseconds::max()) watchdog_ = *told.watchdog_time;
  if (told.watchdog || told.watchdog_time) rearm_watchdog();
  if (told.watchdog_trigger && life_ == Life::ready) apply(LifeEvent::overdue, "it asked for it (WATCHDOG=trigger)");
  if (told.stopping) {  // It goes by itself: nobody expects signs of life any more.
    watchdog_until_ns_ = ready_until_ns_ = never_ns;
    watchdog_ = Nanoseconds::max();
    status_.reason = "it said that it stops (STOPPING=1)";
    changed_ = true;
  }
}

void Instance::rearm_watchdog() {
  watchdog_until_ns_ = watchdog_ == Nanoseconds::max() ? never_ns : after(watchdog_);
}

}  // namespace netrunner::daemon
