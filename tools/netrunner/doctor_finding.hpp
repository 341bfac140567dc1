#pragma once
/// One line of `netrunner doctor`.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace netrunner::tool {

enum class Health : std::uint8_t { ok, degraded, missing };
[[nodiscard]] constexpr std::string_view name_of(Health health) noexcept {
  switch (health) {
    case Health::ok: return "ok";
    case Health::degraded: return "degraded";
    case Health::missing: return "missing";
  }
  return "unknown";
}

struct Finding {
  std::string name;     ///< "io_uring".
  Health health = Health::ok;
  std::string value;    ///< What was found.
  std::string advice;   ///< One sentence; empty where there is nothing to do.
  bool breaks_a_promise = false;
};
using Findings = std::vector<Finding>;

/// Kernel, limits and cgroups, as the kernel's files have them.
[[nodiscard]] Findings system_findings();
/// Which limits can be had, and from where.
[[nodiscard]] Findings limit_findings();
/// io_uring, how commands are started, which containments there are; and that each does what it says: an escapee is
/// started and must die.
[[nodiscard]] Findings engine_findings();

}  // namespace netrunner::tool
