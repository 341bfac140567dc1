#include "tools/netrunner/session_scope.hpp"

#include <array>
#include <fstream>
#include <string_view>

namespace netrunner::tool {
namespace {

/// systemd-logind(8) makes the first; terminals and tmux ask systemd(1) for one of their own.
constexpr std::array<std::string_view, 3> kinds = {"session-", "vte-spawn-", "tmux-spawn-"};

bool is_session(std::string_view name) {
  if (!name.ends_with(".scope")) return false;
  for (const std::string_view kind : kinds) {
    if (name.starts_with(kind)) return true;
  }
  return false;
}

}  // namespace

std::string session_scope() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "ID:CONTROLLERS:/PATH": of the v2 hierarchy and of systemd's own v1 one, see cgroups(7).
    if (!line.starts_with("0::") && line.find(":name=systemd:") == std::string::npos) continue;
    std::string_view path = std::string_view(line).substr(line.find('/'));
    while (!path.empty()) {
      path.remove_prefix(1);
      const std::string_view name = path.substr(0, path.find('/'));
      if (is_session(name)) return std::string(name);
      path.remove_prefix(name.size());
    }
  }
  return {};
}

}  // namespace netrunner::tool
