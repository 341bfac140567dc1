#include "tools/netrunner/daemon_report.hpp"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/text.hpp"

namespace netrunner::tool {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t left_ms(std::int64_t at_ns) {
  return std::max<std::int64_t>(at_ns - Deadline::now_ns(), 0) / 1'000'000;
}

Json number_or_null(std::int64_t number) { return number == 0 ? Json(nullptr) : Json(number); }

Json last_end_of(const std::optional<Ended>& ended) {
  if (!ended) return nullptr;
  Json json = {{"status", to_string(ended->status)}, {"reason", std::string(name_of(ended->reason))}};
  const auto* exited = std::get_if<Exited>(&ended->status);
  const auto* signaled = std::get_if<Signaled>(&ended->status);
  json["code"] = exited != nullptr ? Json(exited->code) : Json(nullptr);
  json["signal"] = signaled != nullptr ? Json(signaled->signal) : Json(nullptr);
  json["pid"] = ended->pid;
  json["stragglers"] = ended->stragglers;
  return json;
}

Json instance_of(const InstanceStatus& status) {
  return {{"instance", status.instance},
          {"state", std::string(name_of(status.state))},
          {"reason", status.reason},
          {"pid", number_or_null(status.pid)},
          {"starts", status.starts},
          {"restarts", status.restarts},
          {"ends_in_row", status.ends_in_row},
          {"next_start_in_ms", status.next_start_ns == 0 ? Json(nullptr) : Json(left_ms(status.next_start_ns))},
          {"status_text", is_utf8(status.status_text) ? Json(status.status_text) : Json(nullptr)},
          {"reloading", status.reloading},
          {"refused_messages", status.refused_messages},
          {"last_end", last_end_of(status.last_end)},
          {"last_error", status.last_error ? Json(words_of(*status.last_error)) : Json(nullptr)}};
}

Json log_of(const LogStats& log) {
  return {{"lines", log.lines},
          {"bytes", log.bytes},
          {"split_lines", log.split_lines},
          {"rotations", log.rotations},
          {"reopened", log.reopened},
          {"rotations_failed", log.rotations_failed},
          {"reopens_failed", log.reopens_failed},
          {"dropped_lines", log.dropped_lines},
          {"last_error", log.last_error.empty() ? Json(nullptr) : Json(log.last_error)}};
}

}  // namespace

std::string in_words(const InstanceStatus& status) {
  switch (status.state) {
    case DaemonState::waiting: return status.reason;
    case DaemonState::ready: return status.reason.empty() ? "ready, pid " + std::to_string(status.pid) : status.reason;
    case DaemonState::backing_off:
      return status.reason + "; starts again in " + std::to_string(left_ms(status.next_start_ns)) + "ms";
    case DaemonState::stopped: return "stopped: " + status.reason;
    case DaemonState::failed: return "failed: " + status.reason;
    case DaemonState::starting:
    case DaemonState::stopping: return {};
  }
  return {};
}

std::string json_of(const ProcessIdentity& supervisor, const std::vector<InstanceStatus>& instances,
                    const LogStats* log) {
  Json json;
  json["supervisor"] = {
      {"pid", supervisor.pid}, {"start_time", supervisor.start_time}, {"boot_id", supervisor.boot_id}};
  json["instances"] = Json::array();
  for (const InstanceStatus& status : instances) json["instances"].push_back(instance_of(status));
  if (log != nullptr) json["log"] = log_of(*log);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace netrunner::tool
