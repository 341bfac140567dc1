#pragma once
/// How a command ended, for people.

#include <string>
#include <variant>

#include <netrunner/exit_status.hpp>

namespace netrunner::tool {

/// It ended by itself with 0, which --success-codes has not.
[[nodiscard]] inline bool is_refused_zero(const Ended& ended) {
  const auto* exited = std::get_if<Exited>(&ended.status);
  return ended.reason == EndReason::exited && exited != nullptr && exited->code == 0 && !ended.success();
}

/// "exited 3", "killed by SIGKILL", "deadline; killed by SIGTERM": the reason where the status doesn't say it.
[[nodiscard]] inline std::string words_of(const Ended& ended) {
  if (ended.reason == EndReason::signaled) return to_string(ended.status);
  if (ended.reason != EndReason::exited) return std::string(name_of(ended.reason)) + "; " + to_string(ended.status);
  return to_string(ended.status) + (is_refused_zero(ended) ? ", which --success-codes has not" : "");
}

/// A line after `prefix` where processes of it are left.
[[nodiscard]] inline std::string words_of_rest(const Ended& ended, const std::string& prefix) {
  if (ended.tree_empty) return {};
  return prefix + "processes of it are still there; they could not be stopped" +
         (ended.unkillable.empty() ? "." : ": " + ended.unkillable) + "\n";
}

}  // namespace netrunner::tool
