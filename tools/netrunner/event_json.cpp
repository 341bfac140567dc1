#include "tools/netrunner/event_json.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <variant>

#include <netrunner/deadline.hpp>
#include <nlohmann/json.hpp>

#include "tools/netrunner/text.hpp"

namespace netrunner::tool {
namespace {

using Json = nlohmann::ordered_json;

std::string stream_name(Stream stream) {
  constexpr std::array<const char*, 3> names = {"in", "out", "err"};
  const auto number = static_cast<std::size_t>(stream);
  return number < names.size() ? names[number] : std::to_string(number);
}

/// UTC, as RFC 3339 has it, to the microsecond.
std::string wall_time(std::int64_t wall_ns) {
  const auto seconds = static_cast<std::time_t>(wall_ns / 1'000'000'000);
  std::tm parts{};
  (void)::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t end = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  (void)std::snprintf(text.data() + end, text.size() - end, ".%06dZ", static_cast<int>(wall_ns / 1000 % 1'000'000));
  return text.data();
}

Json text_of(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  return {{"base64", base64_of(bytes)}};
}

void add_status(Json& json, const ExitStatus& status) {
  json["status"] = to_string(status);
  json["code"] = nullptr;
  json["signal"] = nullptr;
  if (const auto* exited = std::get_if<Exited>(&status)) json["code"] = exited->code;
  if (const auto* signaled = std::get_if<Signaled>(&status)) json["signal"] = signaled->signal;
}

void add_ended(Json& json, const Ended& ended) {
  json["reason"] = std::string(name_of(ended.reason));
  add_status(json, ended.status);
  json["stragglers"] = ended.stragglers;
  json["tree_empty"] = ended.tree_empty;
  json["usage"] = {{"user_us", ended.usage.user_us},
                   {"system_us", ended.usage.system_us},
                   {"max_rss_kib", ended.usage.max_rss_kib}};
}

/// What this kind of event has besides what all have.
void add_details(Json& json, const Event& event) {
  switch (event.kind) {
    case EventKind::output:
      json["stream"] = stream_name(event.stream);
      json["bytes"] = event.bytes;
      json["total_bytes"] = event.total_bytes;
      return;
    case EventKind::stalled: json["stream"] = stream_name(event.stream); return;
    case EventKind::resumed:
      json["stream"] = stream_name(event.stream);
      json["stalled_us"] = event.stalled_ns / 1000;
      return;
    case EventKind::limit:
    case EventKind::stop: json["reason"] = std::string(name_of(event.reason)); return;
    case EventKind::signal:
      json["signal"] = event.signal.signal;
      json["name"] = signal_name(event.signal.signal);
      json["errno"] = event.signal.sys_errno;
      return;
    case EventKind::stop_command:
      json["stop_program"] = text_of(event.stop_command->program);
      json["stop_pid"] = event.stop_command->pid == 0 ? Json(nullptr) : Json(event.stop_command->pid);
      json["message"] = event.stop_command->error ? text_of(event.stop_command->error->message()) : Json(nullptr);
      return;
    case EventKind::exited: return add_status(json, event.status);
    case EventKind::start_failed:
      json["code"] = std::string(name_of(event.error->code));
      json["message"] = text_of(event.error->message());
      return;
    case EventKind::gone: return add_ended(json, *event.ended);
    case EventKind::queued:
    case EventKind::spawned:
    case EventKind::exec:
    case EventKind::drained:
    case EventKind::shepherd_started:
    case EventKind::shepherd_lost: return;
  }
}

}  // namespace

Clocks Clocks::now() {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  return {Deadline::now_ns(), std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()};
}

std::string json_of(const Event& event, const Clocks& start) {
  const std::int64_t since_ns = event.at_ns - start.steady_ns;
  Json json;
  json["event"] = std::string(name_of(event.kind));
  json["time"] = wall_time(start.wall_ns + since_ns);
  json["at_us"] = since_ns / 1000;
  json["shard"] = event.shard;
  json["sequence"] = event.sequence;
  if (event.command != 0) {
    json["command"] = event.command;
    json["program"] = text_of(event.program);
  }
  json["pid"] = event.pid == 0 ? Json(nullptr) : Json(event.pid);
  add_details(json, event);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace netrunner::tool
