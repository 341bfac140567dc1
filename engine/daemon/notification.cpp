#include "engine/daemon/notification.hpp"

#include <charconv>
#include <chrono>

#include "engine/daemon/limits.hpp"

namespace netrunner::daemon {
namespace {

std::optional<Nanoseconds> microseconds(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return saturated(std::chrono::duration<std::uint64_t, std::micro>(number));
}

void take_field(Notification& told, std::string_view name, std::string_view value) {
  const bool one = value == "1";
  if (name == "READY") {
    told.ready = told.ready || one;
  } else if (name == "RELOADING") {
    told.reloading = told.reloading || one;
  } else if (name == "STOPPING") {
    told.stopping = told.stopping || one;
  } else if (name == "WATCHDOG") {
    told.watchdog = told.watchdog || one;
    told.watchdog_trigger = told.watchdog_trigger || value == "trigger";
  } else if (name == "STATUS") {
    told.status = std::string(value.substr(0, status_text_bytes_max));
  } else if (name == "EXTEND_TIMEOUT_USEC") {
    told.extend = microseconds(value);
  } else if (name == "WATCHDOG_USEC") {
    told.watchdog_time = microseconds(value);
  }
}

}  // namespace

Notification parse_notification(std::string_view text) {
  Notification told;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos) take_field(told, line.substr(0, equals), line.substr(equals + 1));
  }
  return told;
}

}  // namespace netrunner::daemon
