/// What comes after an end that nobody asked for.

#include <utility>

#include "engine/daemon/instance.hpp"
#include "engine/daemon/text.hpp"

namespace netrunner::daemon {
namespace {

/// A start that fails so does not heal by itself.
bool is_permanent(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
    case ErrorCode::not_found:
    case ErrorCode::not_executable:
    case ErrorCode::permission_denied:
    case ErrorCode::argument_list_too_long: return true;
    default: return false;
  }
}

}  // namespace

void Instance::judge() {
  const bool overdue = life_ == Life::ending_overdue;
  const Ended* ended = never_started_ ? nullptr : &*status_.last_end;
  if (never_started_ && status_.last_error->code == ErrorCode::engine_closed) {
    return enter(Life::stopped, "the engine was closed");
  }
  if (ended != nullptr && ended->reason == EndReason::stopped && !overdue) {
    return enter(Life::stopped, why_ended_ + "; the engine stopped it");
  }
  const bool success = ended != nullptr && ended->success() && !overdue;
  if (success && options_.restart != Restart::always) return enter(Life::stopped, why_ended_);
  if (options_.restart == Restart::never || is_permanent_failure()) return enter(Life::failed, why_ended_);
  give_up_or_back_off(why_ended_);
}

bool Instance::is_permanent_failure() const {
  return !ran_once_ && status_.last_error && is_permanent(status_.last_error->code);
}

void Instance::give_up_or_back_off(const std::string& why) {
  const std::int64_t now = Deadline::now_ns();
  const RestartLedger::Verdict verdict = ledger_.ended(now, ready_for_);
  if (verdict.give_up) {
    return enter(Life::failed, "given up after " + std::to_string(options_.burst.restarts) + " restarts within " +
                                   duration_text(options_.burst.within) + "; the last: " + why);
  }
  enter(Life::backing_off, why);
  status_.next_start_ns = Deadline::after_from(now, verdict.delay).monotonic_ns();
}

}  // namespace netrunner::daemon
