#pragma once
/// What the engine has to say to whoever operates it. Silent by default.

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace netrunner {

enum class LogLevel : std::uint8_t {
  debug,    ///< Each command's start and end, shepherds that start.
  info,     ///< What an operator wants to find later: the containment in effect, what a sweep found, the close.
  warning,  ///< Something was lost and made up for: a shepherd that died, a weaker containment, a process that stays.
  error,    ///< Something can't be done now: no shepherd can be started.
};
[[nodiscard]] std::string_view name_of(LogLevel level) noexcept;

/// Where log lines go; copies share it. Called from the thread that opens the engine and from every shard's, at once:
/// it must be thread-safe, must not block for long, and must not call the engine. Lines have no newline and never show
/// arguments or environment of a command. <netrunner/spdlog.hpp> makes one of an spdlog::logger.
class Logger {
 public:
  Logger() noexcept = default;
  template <std::invocable<LogLevel, std::string_view> Sink>
    requires(!std::same_as<std::remove_cvref_t<Sink>, Logger>)
  Logger(Sink&& sink, LogLevel least = LogLevel::info)  // NOLINT(google-explicit-constructor): a lambda is enough.
      : sink_(std::make_shared<const std::function<void(LogLevel, std::string_view)>>(std::forward<Sink>(sink))),
        least_(least) {}

  /// False: the line needn't be made.
  [[nodiscard]] bool wants(LogLevel level) const noexcept { return sink_ != nullptr && level >= least_; }
  void log(LogLevel level, std::string_view line) const {
    if (wants(level)) (*sink_)(level, line);
  }

 private:
  std::shared_ptr<const std::function<void(LogLevel, std::string_view)>> sink_;
  LogLevel least_ = LogLevel::info;
};

}  // namespace netrunner
