#pragma once
/// What a command's own start and those of its stop commands have in common.

#include <string>
#include <string_view>
#include <vector>

#include <netrunner/command.hpp>

#include "engine/wire/spawn_body.hpp"

namespace netrunner::detail {

/// The variables of the host, changed as the command asks. The last word on a name counts.
struct Environment {
  std::vector<std::string> changed;
  std::vector<std::string_view> variables;  ///< Into `changed`, and into the host's own: until it changes them.
};
[[nodiscard]] Environment environment_of(const Command::Spec& spec);

/// Directory, user, resource limits: all that isn't words, streams, ladder or groups.
void add_settings(wire::SpawnRequest& request, const Command::Spec& spec);

}  // namespace netrunner::detail
