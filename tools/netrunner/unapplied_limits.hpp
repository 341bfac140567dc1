#pragma once

#include <string>

#include <netrunner/exit_status.hpp>

namespace netrunner::tool {

/// With --best-effort-limits: a line for each limit that could not be had, after `prefix`.
[[nodiscard]] inline std::string unapplied_limits(const Ended& ended, const std::string& prefix) {
  std::string words;
  for (const LimitOutcome& outcome : ended.limits) {
    if (!outcome.applied()) words += prefix + outcome.limit + " was not applied: " + outcome.why_not + "\n";
  }
  return words;
}

}  // namespace netrunner::tool
