#include "engine/daemon/restart_ledger.hpp"

#include <algorithm>

namespace netrunner::daemon {

RestartLedger::Verdict RestartLedger::ended(std::int64_t now_ns, Nanoseconds ready_for) {
  if (ready_for >= backoff_.stable_after) ends_in_row_ = 0;
  ends_in_row_ += ends_in_row_ == UINT32_MAX ? 0 : 1;
  while (!restarts_.empty() && restarts_.front() <= now_ns - burst_.within.count()) restarts_.pop_front();
  if (burst_.restarts != 0) {
    if (restarts_.size() >= burst_.restarts) return {.give_up = true, .delay = {}};
    restarts_.push_back(now_ns);
  }
  return {.give_up = false, .delay = delay()};
}

void RestartLedger::forget() noexcept {
  ends_in_row_ = 0;
  restarts_.clear();
}

Nanoseconds RestartLedger::delay() {
  std::int64_t pause = backoff_.first.count();
  const std::int64_t longest = backoff_.max.count();
  for (std::uint32_t end = 1; end < ends_in_row_ && pause < longest; ++end) {
    pause = pause > longest / 2 ? longest : pause * 2;
  }
  pause = std::min(pause, longest);
  const auto shortest = static_cast<std::int64_t>(static_cast<double>(pause) * (1 - backoff_.jitter));
  return Nanoseconds(std::uniform_int_distribution<std::int64_t>(std::min(shortest, pause), pause)(random_));
}

}  // namespace netrunner::daemon
