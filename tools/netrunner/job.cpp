#include "tools/netrunner/job.hpp"

#include <variant>

#include "tools/netrunner/end_words.hpp"
#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/unapplied_limits.hpp"

namespace netrunner::tool {

void Job::end(const Result<Ended>& result, std::string command_line) {
  command = std::move(command_line);
  const std::string prefix = "netrunner each: job " + std::to_string(item.sequence) + ": ";
  if (!result) {
    exit_code = failure = exit_code_of(result.error());
    err.append(prefix + words_of(result.error()) + "\n");
    return;
  }
  const Ended& ended = *result;
  // Of all jobs the same: said once.
  if (item.sequence == 1) err.append(unapplied_limits(ended, "netrunner each: "));
  succeeded = ended.success();
  failure = exit_code_of(ended);
  constexpr double ns_per_s = 1e9;
  ran_s = static_cast<double>(ended.timeline.exited_ns - ended.timeline.queued_ns) / ns_per_s;
  if (const auto* exited = std::get_if<Exited>(&ended.status)) exit_code = exited->code;
  if (const auto* signaled = std::get_if<Signaled>(&ended.status)) signal = signaled->signal;
  if (std::holds_alternative<Unknown>(ended.status)) exit_code = own_failure;
  const bool by_itself = ended.reason == EndReason::exited || ended.reason == EndReason::stopped;
  if (!by_itself) err.append(prefix + words_of(ended) + "\n");
}

}  // namespace netrunner::tool
