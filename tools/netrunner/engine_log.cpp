#include "tools/netrunner/engine_log.hpp"

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {
namespace {

constexpr std::array levels = {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error};

bool verbose = false;

std::optional<LogLevel> level_of_environment() {
  const char* text = std::getenv("NETRUNNER_LOG");
  if (text == nullptr || *text == '\0') return std::nullopt;
  for (const LogLevel level : levels) {
    if (name_of(level) == text) return level;
  }
  print_error("netrunner: NETRUNNER_LOG: '" + std::string(text) +
              "' is none of debug, info, warning, error; it is taken as info.\n");
  return LogLevel::info;
}

}  // namespace

void be_verbose() noexcept { verbose = true; }

Logger engine_logger() {
  const std::optional<LogLevel> least = verbose ? LogLevel::debug : level_of_environment();
  if (!least) return {};
  return Logger(
      [](LogLevel level, std::string_view line) {
        print_error("netrunner: " + std::string(name_of(level)) + ": " + std::string(line) + "\n");
      },
      *least);
}

}  // namespace netrunner::tool
