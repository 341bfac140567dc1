#include "tools/netrunner/report.hpp"

#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/text.hpp"

namespace netrunner::tool {
namespace {

using Json = nlohmann::ordered_json;

/// JSON holds Unicode only; bytes that are none are kept, as an object that says so.
Json text_of(const std::string& bytes) {
  if (is_utf8(bytes)) return bytes;
  return {{"base64", base64_of(bytes)}};
}

Json argv_of(const std::vector<std::string>& argv) {
  Json words = Json::array();
  for (const std::string& word : argv) words.push_back(text_of(word));
  return words;
}

std::string_view name_of_target(Target target) {
  switch (target) {
    case Target::leader: return "leader";
    case Target::group: return "group";
    case Target::everything: return "everything";
  }
  return "unknown";
}

std::string name_of_stream(Stream stream) {
  switch (stream) {
    case Stream::in: return "in";
    case Stream::out: return "out";
    case Stream::err: return "err";
  }
  return std::to_string(static_cast<int>(stream));
}

/// Microseconds since the command was asked for; null: it did not happen.
Json since_queued(const Timeline& timeline, std::int64_t at_ns) {
  if (at_ns == 0) return nullptr;
  return (at_ns - timeline.queued_ns) / 1000;
}

Json timeline_of(const Timeline& timeline) {
  return {{"queued", since_queued(timeline, timeline.queued_ns)},
          {"spawned", since_queued(timeline, timeline.spawned_ns)},
          {"exec", since_queued(timeline, timeline.exec_ns)},
          {"first_byte", since_queued(timeline, timeline.first_byte_ns)},
          {"exited", since_queued(timeline, timeline.exited_ns)},
          {"drained", since_queued(timeline, timeline.drained_ns)},
          {"gone", since_queued(timeline, timeline.gone_ns)}};
}

Json streams_of(const Ended& ended) {
  Json streams = Json::array();
  for (const StreamSummary& stream : ended.streams) {
    streams.push_back({{"stream", name_of_stream(stream.stream)},
                       {"direction", stream.direction == Direction::to_command ? "to_command" : "from_command"},
                       {"end", std::string(name_of(stream.end))},
                       {"bytes", stream.bytes},
                       {"dropped", stream.dropped_bytes},
                       {"operations", stream.operations},
                       {"stalls", stream.stalls},
                       {"stalled_us", stream.stalled_ns / 1000}});
  }
  return streams;
}

Json signals_of(const Ended& ended) {
  Json signals = Json::array();
  for (const SignalSent& sent : ended.signals) {
    signals.push_back({{"signal", sent.signal},
                       {"name", signal_name(sent.signal)},
                       {"target", std::string(name_of_target(sent.target))},
                       {"at_us", since_queued(ended.timeline, sent.at_ns)},
                       {"errno", sent.sys_errno}});
  }
  return signals;
}

Json stop_commands_of(const Ended& ended) {
  Json runs = Json::array();
  for (const StopCommandRun& run : ended.stop_commands) {
    runs.push_back({{"program", text_of(run.program)},
                    {"pid", run.pid == 0 ? Json(nullptr) : Json(run.pid)},
                    {"at_us", since_queued(ended.timeline, run.at_ns)},
                    {"error", run.error ? text_of(words_of(*run.error)) : Json(nullptr)}});
  }
  return runs;
}

Json holders_of(const Ended& ended) {
  Json holders = Json::array();
  for (const PipeHolder& holder : ended.holders) {
    holders.push_back(
        {{"stream", name_of_stream(holder.stream)}, {"pid", holder.pid}, {"name", text_of(holder.name)}});
  }
  return holders;
}

Json or_null(const std::optional<std::uint64_t>& figure) { return figure ? Json(*figure) : Json(nullptr); }

/// `scope` says whose CPU time it is; the peaks are of the whole tree, and null where it has no such group.
Json usage_of(const Usage& usage) {
  return {{"scope", std::string(name_of(usage.scope))},
          {"user_us", usage.user_us},
          {"system_us", usage.system_us},
          {"max_rss_kib", usage.max_rss_kib},
          {"memory_peak", or_null(usage.memory_peak_bytes)},
          {"pids_peak", or_null(usage.pids_peak)},
          {"io_read", or_null(usage.io_read_bytes)},
          {"io_written", or_null(usage.io_written_bytes)}};
}

/// What was asked for, and what became of it.
Json limits_of(const Ended& ended) {
  Json limits = Json::array();
  for (const LimitOutcome& outcome : ended.limits) {
    limits.push_back({{"limit", outcome.limit},
                      {"value", outcome.value},
                      {"applied", outcome.applied()},
                      {"by", outcome.applied() ? Json(outcome.by) : Json(nullptr)},
                      {"where", outcome.applied() ? text_of(outcome.where) : Json(nullptr)},
                      {"why_not", outcome.applied() ? Json(nullptr) : text_of(outcome.why_not)}});
  }
  return limits;
}

/// null where the stream was no pipe of ours: nobody counted.
Json bytes_of(const Ended& ended, Stream which) {
  const StreamSummary* stream = ended.stream(which);
  if (stream == nullptr || stream->end == StreamEnd::none) return nullptr;
  return stream->bytes;
}

/// Code and signal are two fields, and one of them is null: `exit 137` is no death by SIGKILL.
void add_status(Json& json, const ExitStatus& status) {
  json["status"] = to_string(status);
  json["code"] = nullptr;
  json["signal"] = nullptr;
  json["signal_name"] = nullptr;
  json["core"] = false;
  if (const auto* exited = std::get_if<Exited>(&status)) json["code"] = exited->code;
  if (const auto* signaled = std::get_if<Signaled>(&status)) {
    json["signal"] = signaled->signal;
    json["signal_name"] = signal_name(signaled->signal);
    json["core"] = signaled->core_dumped;
  }
}

Json ended_of(const std::vector<std::string>& argv, const Ended& ended) {
  Json json;
  json["argv"] = argv_of(argv);
  json["pid"] = ended.pid;
  json["reason"] = std::string(name_of(ended.reason));
  add_status(json, ended.status);
  json["success"] = ended.success();
  json["stragglers"] = ended.stragglers;
  json["tree_empty"] = ended.tree_empty;
  json["containment"] = std::string(name_of(ended.containment));
  json["bytes_in"] = bytes_of(ended, Stream::in);
  json["bytes_out"] = bytes_of(ended, Stream::out);
  json["bytes_err"] = bytes_of(ended, Stream::err);
  json["usage"] = usage_of(ended.usage);
  json["limits"] = limits_of(ended);
  json["oom_kills"] = ended.oom_kills;
  json["timeline"] = timeline_of(ended.timeline);
  json["streams"] = streams_of(ended);
  json["signals"] = signals_of(ended);
  if (!ended.stop_commands.empty()) json["stop_commands"] = stop_commands_of(ended);
  json["holders"] = holders_of(ended);
  if (!ended.stalled_on.empty()) json["stalled_on"] = text_of(ended.stalled_on);
  return json;
}

Json error_of(const Error& error) {
  return {{"code", std::string(name_of(error.code))},
          {"stage", std::string(name_of(error.stage))},
          {"subject", text_of(error.subject)},
          {"errno", error.sys_errno},
          {"errno_text", error.sys_errno == 0 ? Json(nullptr) : Json(std::strerror(error.sys_errno))},
          {"message", text_of(words_of(error))}};
}

std::string dump(const Json& json, Layout layout) {
  // The replacement is a second net: every text that may be no Unicode went through text_of.
  return json.dump(layout == Layout::indented ? 2 : -1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string json_of(const CommandReport& report, Layout layout) {
  Json json;
  if (report.result) {
    json = ended_of(report.argv, *report.result);
  } else {
    json["argv"] = argv_of(report.argv);
    json["error"] = error_of(report.result.error());
  }
  json["exit_status"] = report.exit_status;
  return dump(json, layout);
}

std::string json_of(const PipelineReport& report, Layout layout) {
  Json json;
  json["success"] = report.result && report.failed_stage == report.stages.size();
  json["exit_status"] = report.exit_status;
  json["failed_stage"] = report.failed_stage < report.stages.size() ? Json(report.failed_stage) : Json(nullptr);
  json["peak_buffered_bytes"] = report.peak_buffered_bytes;
  if (!report.result) json["error"] = error_of(report.result.error());
  json["stages"] = Json::array();
  for (std::size_t i = 0; i < report.stages.size(); ++i) {
    json["stages"].push_back(report.result ? ended_of(report.stages[i], (*report.result)[i])
                                           : Json{{"argv", argv_of(report.stages[i])}});
  }
  return dump(json, layout);
}

std::string json_of(const EachReport& report) {
  const double rate = report.elapsed_s > 0 ? static_cast<double>(report.jobs) / report.elapsed_s : 0;
  Json json;
  json["jobs"] = report.jobs;
  json["succeeded"] = report.jobs - report.failed;
  json["failed"] = report.failed;
  json["not_started"] = report.not_started;
  json["elapsed_s"] = report.elapsed_s;
  json["jobs_per_s"] = rate;
  json["interrupted_by"] = report.signal == 0 ? Json(nullptr) : Json(signal_name(report.signal));
  json["exit_status"] = report.exit_status;
  return dump(json, Layout::one_line);
}

}  // namespace netrunner::tool
