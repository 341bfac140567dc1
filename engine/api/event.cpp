#include <netrunner/event.hpp>

#include <array>

#include <netrunner/log.hpp>
#include <netrunner/stats.hpp>

namespace netrunner {
namespace {

constexpr std::array<std::string_view, 16> kind_names = {
    "queued",  "spawned", "exec",   "start_failed", "output", "stalled",          "resumed",      "limit",
    "stop",    "signal",  "exited", "drained",      "gone",   "shepherd_started", "shepherd_lost",
    "stop_command",
};
static_assert(kind_names.size() == static_cast<std::size_t>(EventKind::stop_command) + 1);

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};
static_assert(level_names.size() == static_cast<std::size_t>(LogLevel::error) + 1);

constexpr std::array<std::string_view, 5> state_names = {"starting", "running", "draining", "settling", "ended"};
static_assert(state_names.size() == static_cast<std::size_t>(CommandState::ended) + 1);

}  // namespace

std::string_view name_of(EventKind kind) noexcept { return kind_names[static_cast<std::size_t>(kind)]; }
std::string_view name_of(LogLevel level) noexcept { return level_names[static_cast<std::size_t>(level)]; }
std::string_view name_of(CommandState state) noexcept { return state_names[static_cast<std::size_t>(state)]; }

}  // namespace netrunner
