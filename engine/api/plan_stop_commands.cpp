/// The commands of a ladder made ready for the shepherd, which may have to run them when the host is dead.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/api/check.hpp"
#include "engine/api/core.hpp"
#include "engine/api/plan.hpp"
#include "engine/api/plan_parts.hpp"
#include "engine/os/memfd.hpp"
#include "engine/wire/stop_commands.hpp"

namespace netrunner::detail {
namespace {

/// The shepherd adds its own.
constexpr std::string_view pid_variable = "NETRUNNER_PID=";

/// The shepherd stays where the host was at the engine's opening, and no descriptor is kept for this: by its path.
Result<std::optional<std::string>> directory_of(const Core& core, const Command::Spec& spec) {
  if (!core.directory_changed() || (spec.cwd && spec.cwd->starts_with('/'))) return spec.cwd;
  std::error_code failed;
  const std::string here = std::filesystem::current_path(failed).string();
  if (failed) return std::unexpected(system_error("the host's current directory", Stage::cwd, failed.value()));
  return here + (spec.cwd ? "/" + *spec.cwd : std::string());
}

wire::SpawnBody body_of(const Rung& rung, wire::SpawnRequest request) {
  request.program = rung.command.front();
  request.arguments.assign(rung.command.begin(), rung.command.end());
  if (request.program.find('/') == std::string::npos) request.flags |= wire::search_path;
  return wire::SpawnBody::build({}, request);
}

}  // namespace

bool has_commands(const KillLadder& ladder) noexcept {
  return std::ranges::any_of(ladder.rungs(), [](const Rung& rung) { return !rung.command.empty(); });
}

Result<os::UniqueFd> plan_stop_commands(const Core& core, const Command::Spec& spec, const KillLadder& ladder) {
  NR_TRY_VOID(check(ladder));
  wire::SpawnRequest request;
  add_settings(request, spec);
  NR_TRY(directory, directory_of(core, spec));
  request.cwd = std::move(directory);
  Environment environment = environment_of(spec);
  request.environment = std::move(environment.variables);
  std::erase_if(request.environment, [](std::string_view variable) { return variable.starts_with(pid_variable); });
  for (const int number : {0, 1, 2}) request.actions.push_back({number, wire::ActionKind::null, 0, {}, 0, 0});
  std::vector<wire::SpawnBody> bodies;
  for (const Rung& rung : ladder.rungs()) {
    if (!rung.command.empty()) bodies.push_back(body_of(rung, request));
  }
  const std::vector<std::byte> bytes = wire::encode(bodies);
  const bool fits = std::ranges::all_of(bodies, [](const wire::SpawnBody& body) { return body.fits_treaty(); });
  if (!fits || bytes.size() > wire::stop_commands_bytes_max) {
    return std::unexpected(Error{ErrorCode::argument_list_too_long, Stage::validate, E2BIG,
                                 "the ladder's commands and their environment together", "16 MiB at most"});
  }
  return os::sealed_memfd("netrunner-stop", bytes, os::MemfdUse::data);
}

}  // namespace netrunner::detail
