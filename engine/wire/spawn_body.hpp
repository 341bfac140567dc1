#pragma once
/// The host's writing of a Spawn.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/wire/leaf_writes.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::wire {

/// One of the command's descriptors, as the host thinks of it.
struct SpawnAction {
  int number = 0;
  ActionKind kind = ActionKind::null;
  int other = 0;                      ///< same_as.
  std::string path;                   ///< open_file.
  std::uint32_t open_flags = 0;       ///< open_file.
  std::uint32_t permissions = 0;      ///< open_file.
};

/// What to start. Strings hold no NUL byte (the caller checked), actions name each of 0, 1 and 2.
/// Descriptors to attach to the message: [the body's memfd] [has_stop_commands: theirs] [cwd_attached: the host's
/// directory] the attached actions'.
struct SpawnRequest {
  std::string program;
  std::vector<std::string_view> arguments;    ///< argv, from argv[0] on; the caller's memory.
  std::vector<std::string_view> environment;  ///< "NAME=value"; the caller's memory.
  std::optional<std::string> cwd;
  std::vector<SpawnAction> actions;
  std::vector<WireRung> rungs;
  std::vector<WireLimit> limits;
  std::optional<std::vector<std::uint32_t>> groups;
  std::vector<std::uint32_t> cpus;
  std::optional<std::uint32_t> umask, uid, gid;
  std::optional<std::int32_t> nice, oom_score_adj;
  std::int32_t join_group = 0;
  std::uint32_t terminal = 0;  ///< controlling_terminal: which descriptor it is.
  std::uint64_t bounding_capabilities = 0, ambient_capabilities = 0;  ///< With has_capabilities.
  std::vector<LeafWrite> leaf_writes;
  std::uint32_t hierarchies = 0;
  std::int64_t cpu_time_ns = 0;
  /// SpawnFlag bits that no member above implies: cwd_attached, own_session, join_group, set_no_new_privs,
  /// search_path, shell_fallback, has_capabilities, controlling_terminal, limits_best_effort,
  /// has_stop_commands.
  std::uint32_t flags = 0;
};

/// The fixed part and the body that say so.
struct SpawnBody {
  SpawnFixed fixed;
  std::vector<std::byte> bytes;

  /// Past it a count or a size exceeds the treaty: give argument_list_too_long or invalid_argument.
  [[nodiscard]] bool fits_treaty() const noexcept;
  [[nodiscard]] bool fits_inline() const noexcept { return bytes.size() <= inline_body_bytes_max; }
  [[nodiscard]] static SpawnBody build(ChildId id, const SpawnRequest& request);
};

}  // namespace netrunner::wire
