#include "engine/wire/spawn_body.hpp"

#include <span>

#include "engine/wire/codec.hpp"

namespace netrunner::wire {
namespace {

class Body {
 public:
  explicit Body(std::vector<std::byte>& bytes) : bytes_(bytes) {}

  template <Wire T>
  std::uint32_t list(std::span<const T> values) {
    const auto raw = std::as_bytes(values);
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    bytes_.resize(padded(bytes_.size()));
    return static_cast<std::uint32_t>(values.size());
  }
  /// Offset in the strings.
  std::uint32_t string(std::string_view text) {
    if (!in_strings_) strings_start_ = bytes_.size();
    in_strings_ = true;
    const auto offset = static_cast<std::uint32_t>(bytes_.size() - strings_start_);
    const auto raw = std::as_bytes(std::span(text));
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    bytes_.push_back(std::byte{0});
    return offset;
  }

 private:
  std::vector<std::byte>& bytes_;
  std::size_t strings_start_ = 0;
  bool in_strings_ = false;
};

std::size_t text_bytes(const SpawnRequest& request) {
  std::size_t bytes = request.program.size() + 1;
  for (const std::string_view text : request.arguments) bytes += text.size() + 1;
  for (const std::string_view text : request.environment) bytes += text.size() + 1;
  for (const auto& action : request.actions) bytes += action.kind == ActionKind::open_file ? action.path.size() + 1 : 0;
  return bytes + (request.cwd ? request.cwd->size() + 1 : 0);
}

// The paths come after program, argv and environment, in the order of the actions.
std::vector<Action> actions_of(const SpawnRequest& request) {
  std::size_t offset = text_bytes(request) - (request.cwd ? request.cwd->size() + 1 : 0);
  for (const auto& action : request.actions) {
    offset -= action.kind == ActionKind::open_file ? action.path.size() + 1 : 0;
  }
  std::vector<Action> actions;
  actions.reserve(request.actions.size());
  for (const auto& wanted : request.actions) {
    Action action;
    action.number = static_cast<std::uint16_t>(wanted.number);
    action.kind = wanted.kind;
    if (wanted.kind == ActionKind::same_as) action.other = static_cast<std::uint32_t>(wanted.other);
    if (wanted.kind == ActionKind::open_file) {
      action.other = static_cast<std::uint32_t>(offset);
      action.open_flags = wanted.open_flags;
      action.permissions = wanted.permissions;
      offset += wanted.path.size() + 1;
    }
    actions.push_back(action);
  }
  return actions;
}

std::uint32_t flags_of(const SpawnRequest& request) {
  std::uint32_t flags = request.flags;
  if (request.cwd) flags |= has_cwd;
  if (request.umask) flags |= has_umask;
  if (request.nice) flags |= has_nice;
  if (request.oom_score_adj) flags |= has_oom_score;
  if (request.uid) flags |= has_uid;
  if (request.gid) flags |= has_gid;
  if (request.groups) flags |= has_groups;
  return flags;
}

}  // namespace

bool SpawnBody::fits_treaty() const noexcept {
  return bytes.size() <= memfd_body_bytes_max && fixed.action_count <= actions_max && fixed.rung_count <= rungs_max &&
         fixed.limit_count <= resource_limits_max && fixed.group_count <= groups_max && fixed.cpu_count <= cpus_max &&
         fixed.leaf_writes_bytes <= leaf_writes_bytes_max;
}

SpawnBody SpawnBody::build(ChildId id, const SpawnRequest& request) {
  SpawnBody result;
  SpawnFixed& fixed = result.fixed;
  const std::vector<Action> actions = actions_of(request);
  result.bytes.reserve(text_bytes(request) + actions.size() * sizeof(Action) + 512);
  Body body(result.bytes);
  fixed.id = id;
  fixed.flags = flags_of(request);
  fixed.action_count = body.list(std::span<const Action>(actions));
  fixed.rung_count = body.list(std::span<const WireRung>(request.rungs));
  fixed.limit_count = body.list(std::span<const WireLimit>(request.limits));
  if (request.groups) fixed.group_count = body.list(std::span<const std::uint32_t>(*request.groups));
  fixed.cpu_count = body.list(std::span<const std::uint32_t>(request.cpus));
  if (!request.leaf_writes.empty()) {
    const std::vector<std::byte> writes = encode(request.leaf_writes);
    fixed.leaf_writes_bytes = body.list(std::span<const std::byte>(writes));
  }
  fixed.hierarchies = request.hierarchies;
  fixed.cpu_time_ns = request.cpu_time_ns;
  const std::size_t strings_start = result.bytes.size();
  body.string(request.program);
  for (const std::string_view text : request.arguments) body.string(text);
  for (const std::string_view text : request.environment) body.string(text);
  for (const auto& action : request.actions) {
    if (action.kind == ActionKind::open_file) body.string(action.path);
  }
  if (request.cwd) fixed.cwd_offset = body.string(*request.cwd);
  fixed.argument_count = static_cast<std::uint32_t>(request.arguments.size());
  fixed.environment_count = static_cast<std::uint32_t>(request.environment.size());
  fixed.strings_bytes = static_cast<std::uint32_t>(result.bytes.size() - strings_start);
  fixed.body_bytes = static_cast<std::uint32_t>(result.bytes.size());
  fixed.join_group = request.join_group;
  fixed.terminal = request.terminal;
  fixed.umask = request.umask.value_or(0);
  fixed.nice = request.nice.value_or(0);
  fixed.oom_score_adj = request.oom_score_adj.value_or(0);
  fixed.uid = request.uid.value_or(0);
  fixed.gid = request.gid.value_or(0);
  fixed.bounding_capabilities = request.bounding_capabilities;
  fixed.ambient_capabilities = request.ambient_capabilities;
  if (!result.fits_inline()) fixed.flags |= body_in_memfd;
  return result;
}

}  // namespace netrunner::wire
