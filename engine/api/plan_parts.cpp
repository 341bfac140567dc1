#include "engine/api/plan_parts.hpp"

#include <unistd.h>

#include <cstddef>
#include <optional>
#include <unordered_map>

namespace netrunner::detail {

Environment environment_of(const Command::Spec& spec) {
  Environment result;
  std::size_t host_count = 0;
  while (!spec.clear_environment && environ != nullptr && environ[host_count] != nullptr) ++host_count;
  result.changed.reserve(spec.environment.size());  // They must stay where they are.
  result.variables.reserve(host_count + spec.environment.size());
  std::unordered_map<std::string_view, const std::optional<std::string>*> changes;
  for (const auto& change : spec.environment) changes[change.name] = &change.value;
  for (std::size_t i = 0; i < host_count; ++i) {
    const std::string_view text = environ[i];
    if (changes.empty() || !changes.contains(text.substr(0, text.find('=')))) result.variables.push_back(text);
  }
  for (const auto& change : spec.environment) {
    const auto last = changes.find(change.name);
    if (last == changes.end() || last->second != &change.value) continue;
    if (change.value) result.variables.emplace_back(result.changed.emplace_back(change.name + "=" + *change.value));
  }
  return result;
}

void add_settings(wire::SpawnRequest& request, const Command::Spec& spec) {
  request.cwd = spec.cwd;
  for (const ResourceLimit& limit : spec.resource_limits) {
    request.limits.push_back({static_cast<std::uint32_t>(limit.resource), 0, limit.soft, limit.hard});
  }
  if (spec.identity.groups) {
    request.groups.emplace(spec.identity.groups->begin(), spec.identity.groups->end());
  } else if (spec.identity.uid) {
    request.groups.emplace();  // Never the host's.
  }
  request.cpus.assign(spec.cpus.begin(), spec.cpus.end());
  request.umask = spec.umask;
  request.uid = spec.identity.uid;
  request.gid = spec.identity.gid;
  request.nice = spec.nice;
  request.oom_score_adj = spec.oom_score_adj;
  if (spec.capabilities) {
    request.flags |= wire::has_capabilities;
    request.bounding_capabilities = spec.capabilities->bounding.bits();
    request.ambient_capabilities = spec.capabilities->ambient.bits();
  }
  if (spec.no_new_privs) request.flags |= wire::set_no_new_privs;
}

}  // namespace netrunner::detail
