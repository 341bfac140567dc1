#pragma once
/// Why a command did not start, in words: pure functions of what the shepherd reported.

#include <string_view>

#include <netrunner/command.hpp>
#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>

#include "engine/containment/limit_plan.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::shard {

struct StartReport {
  wire::StartFailedFixed fixed;
  std::string_view path;  ///< What was tried last.
  std::string_view head;  ///< Its first bytes, where it could be read.
};

/// `limits`: what was planned, null without limits.
[[nodiscard]] Error start_failure(const Command::Spec& spec, const StartReport& report,
                                  const containment::LimitPlan* limits = nullptr);
[[nodiscard]] Error stopped_before_start(const Command::Spec& spec, EndReason reason);
/// The host could not make a pipe: names RLIMIT_NOFILE or the system's limit.
[[nodiscard]] Error descriptor_failure(Error error);

}  // namespace netrunner::shard
