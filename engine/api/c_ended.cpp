/// How a command ended, as plain structs.

#include <cstdio>
#include <variant>

#include "engine/api/c_bridge.hpp"

namespace netrunner::c {

static_assert(NR_HOLDERS_MAX == Ended::holders_max);

nr_exit_status status_of(const ExitStatus& status) noexcept {
  if (const auto* exited = std::get_if<Exited>(&status)) return {NR_EXITED, exited->code, 0, false};
  if (const auto* signaled = std::get_if<Signaled>(&status)) {
    return {NR_SIGNALED, 0, signaled->signal, signaled->core_dumped};
  }
  return {NR_UNKNOWN, 0, 0, false};
}

nr_timeline timeline_of(const Timeline& time) noexcept {
  return {time.queued_ns, time.spawned_ns, time.exec_ns, time.first_byte_ns,
          time.exited_ns, time.drained_ns, time.gone_ns};
}

nr_usage usage_of(const Usage& usage) noexcept { return {usage.user_us, usage.system_us, usage.max_rss_kib}; }

namespace {

nr_tree_usage tree_of(const Usage& usage) noexcept {
  return {usage.scope == UsageScope::tree, usage.memory_peak_bytes.value_or(NR_UNKNOWN_COUNT),
          usage.pids_peak.value_or(NR_UNKNOWN_COUNT), usage.io_read_bytes.value_or(NR_UNKNOWN_COUNT),
          usage.io_written_bytes.value_or(NR_UNKNOWN_COUNT)};
}

}  // namespace

nr_ended ended_of(const Ended& ended) noexcept {
  nr_ended result{};
  result.size = sizeof result;
  result.status = status_of(ended.status);
  result.reason = static_cast<nr_end_reason>(ended.reason);
  result.pid = ended.pid;
  result.usage = usage_of(ended.usage);
  result.timeline = timeline_of(ended.timeline);
  for (int stream = NR_IN; stream <= NR_ERR; ++stream) {
    const StreamSummary* summary = ended.stream(static_cast<Stream>(stream));
    if (summary == nullptr) continue;
    result.streams[stream] = {static_cast<nr_stream_end>(summary->end), summary->bytes, summary->dropped_bytes,
                              summary->stalled_ns};
  }
  result.stragglers = ended.stragglers;
  result.tree_empty = ended.tree_empty;
  result.containment = static_cast<nr_containment>(ended.containment);
  result.success = ended.success();
  for (const PipeHolder& holder : ended.holders) {
    if (result.holder_count == NR_HOLDERS_MAX) break;
    nr_pipe_holder& given = result.holders[result.holder_count++];
    given.stream = static_cast<int>(holder.stream);
    given.pid = holder.pid;
    holder.name.copy(given.name, sizeof given.name - 1);
  }
  result.tree = tree_of(ended.usage);
  result.oom_kills = ended.oom_kills;
  for (const LimitOutcome& outcome : ended.limits) result.limits_not_applied += outcome.applied() ? 0 : 1;
  return result;
}

namespace {

ExitStatus status_from(const nr_exit_status& status) {
  switch (status.kind) {
    case NR_EXITED: return Exited{status.code};
    case NR_SIGNALED: return Signaled{status.signal, status.core_dumped};
    case NR_UNKNOWN: break;
  }
  return Unknown{};
}

}  // namespace
}  // namespace netrunner::c

extern "C" {

bool nr_ended_success(const nr_ended* ended) { return ended->success; }

size_t nr_exit_status_text(const nr_exit_status* status, char* text, size_t size) {
  const std::string whole = netrunner::to_string(netrunner::c::status_from(*status));
  if (size > 0) (void)std::snprintf(text, size, "%s", whole.c_str());
  return whole.size();
}

}  // extern "C"
