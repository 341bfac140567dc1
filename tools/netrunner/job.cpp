#include "tools/netrunner/job.hpp"

#include <cstdint>
#include <variant>

#include <netrunner/deadline.hpp>

#include "tools/netrunner/end_words.hpp"
#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/unapplied_limits.hpp"

namespace netrunner::tool {

constexpr int timed_out = -1;  // As the job log of GNU parallel has it.

void Job::say(const std::string& line) {
  (void)err.append(line);  // Where it can't be kept, the run ends with that error.
}

void Job::end(const Result<Ended>& result, std::string command_line) {
  command = std::move(command_line);
  const std::string prefix = "netrunner each: job " + std::to_string(item.sequence) + ": ";
  if (!result) {
    exit_code = failure = exit_code_of(result.error());
    say(prefix + words_of(result.error()) + "\n");
    return;
  }
  const Ended& ended = *result;
  // Of all jobs the same: said once.
  if (item.sequence == 1) say(unapplied_limits(ended, "netrunner each: "));
  succeeded = ended.success();
  failure = exit_code_of(ended);
  constexpr double ns_per_s = 1e9;
  const std::int64_t exited_ns = ended.timeline.exited_ns;
  // 0: it can't be killed, and runs on.
  ran_s = static_cast<double>((exited_ns == 0 ? Deadline::now_ns() : exited_ns) - ended.timeline.queued_ns) / ns_per_s;
  if (const auto* exited = std::get_if<Exited>(&ended.status)) exit_code = exited->code;
  if (const auto* signaled = std::get_if<Signaled>(&ended.status)) signal = signaled->signal;
  if (std::holds_alternative<Unknown>(ended.status)) exit_code = own_failure;
  if (ended.reason == EndReason::deadline) exit_code = timed_out;
  const bool by_itself = ended.reason == EndReason::exited || ended.reason == EndReason::stopped;
  if (!by_itself) say(prefix + words_of(ended) + "\n");
  say(words_of_rest(ended, prefix));
}

}  // namespace netrunner::tool
