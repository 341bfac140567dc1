#include "tools/netrunner/error_words.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace netrunner::tool {
namespace {

/// The longer of two that begin alike comes first.
constexpr std::array<std::pair<std::string_view, std::string_view>, 17> translations = {{
    {"uid user ", "user "},
    {"gid group ", "group "},
    {"Command::shell_fallback()", "--shell-fallback"},
    {"Command::no_new_privs()", "--no-new-privs"},
    {"its stop token was triggered before", "a signal asked for the end before it was started"},
    {"DaemonOptions::backoff.max (it must not be below backoff.first)", "--backoff A..B (B must not be below A)"},
    {"DaemonOptions::backoff.first", "--backoff A..B, A"},
    {"DaemonOptions::burst.restarts", "--burst N/D, N"},
    {"DaemonOptions::burst.within", "--burst N/D, D"},
    {"DaemonOptions::instances", "--instances"},
    {"DaemonOptions::ready_timeout", "--ready-timeout"},
    {"DaemonOptions::ready", "--ready"},
    {"DaemonOptions::watchdog", "--watchdog"},
    {"DaemonOptions::wait_for", "--wait-for"},
    {"DaemonOptions::output (rotate at", "--rotate SIZE:COUNT (SIZE:"},
    {"DaemonOptions::output (keep", "--rotate SIZE:COUNT (COUNT:"},
    {"DaemonOptions::output", "--log"},
}};

}  // namespace

std::string words_of(const Error& error) { return in_options(error.message()); }

std::string in_options(std::string words) {
  for (const auto& [library, option] : translations) {
    if (const std::size_t at = words.find(library); at != std::string::npos) words.replace(at, library.size(), option);
  }
  return words;
}

}  // namespace netrunner::tool
