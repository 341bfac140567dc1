#pragma once
/// What a process says by sd_notify(3). Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netrunner/deadline.hpp>

namespace netrunner::daemon {

/// Fields that aren't understood (MAINPID, FDSTORE, ERRNO, ...) are left out.
struct Notification {
  bool ready = false;
  bool reloading = false;
  bool stopping = false;
  bool watchdog = false;           ///< WATCHDOG=1: it lives.
  bool watchdog_trigger = false;   ///< WATCHDOG=trigger: it wants to be taken for hung.
  std::optional<std::string> status;
  std::optional<Nanoseconds> extend;         ///< EXTEND_TIMEOUT_USEC.
  std::optional<Nanoseconds> watchdog_time;  ///< WATCHDOG_USEC: another time from now on.
};

/// NAME=VALUE lines; one without a '=' is passed over.
[[nodiscard]] Notification parse_notification(std::string_view text);

}  // namespace netrunner::daemon
