#pragma once
/// For embedders who log with spdlog: the only header here that needs it, and nothing else includes it.
///   options.logger = nr::log_to(spdlog::get("engine"));

#include <memory>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include <netrunner/log.hpp>

namespace netrunner {

[[nodiscard]] inline spdlog::level::level_enum spdlog_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// Lines go to this logger, which must be a thread-safe one (_mt) or an asynchronous one. Its level at this moment
/// decides what the engine makes; raised later, it filters.
[[nodiscard]] inline Logger log_to(std::shared_ptr<spdlog::logger> logger) {
  LogLevel least = LogLevel::debug;
  while (least < LogLevel::error && !logger->should_log(spdlog_level(least))) {
    least = static_cast<LogLevel>(static_cast<int>(least) + 1);
  }
  return Logger(
      [logger = std::move(logger)](LogLevel level, std::string_view line) {
        logger->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
      },
      least);
}

}  // namespace netrunner
