#pragma once
/// Limits as tests see them: which can be had here, where their groups are, what they say.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <netrunner/blocking.hpp>
#include <netrunner/cgroup_limits.hpp>

#include "tests/support/engine_fixture.hpp"

namespace tests {

/// Empty: it can be had here; else why not.
[[nodiscard]] inline std::string why_no_limit(std::string_view limit) {
  static const std::vector<nr::LimitOutcome> all = nr::available_limits();
  for (const nr::LimitOutcome& one : all) {
    if (one.limit == limit) return one.applied() ? std::string() : one.why_not;
  }
  return "unknown limit";
}
[[nodiscard]] inline bool has_limit(std::string_view limit) { return why_no_limit(limit).empty(); }

[[nodiscard]] inline bool limits_can_be_had(const nr::Limits& limits) {
  return (!limits.memory_max || has_limit("memory_max")) && (!limits.pids_max || has_limit("pids_max")) &&
         (!limits.cpu_quota || has_limit("cpu_quota")) && (!limits.cpu_time || has_limit("cpu_time"));
}

/// 0 where swap can be limited; else it is left alone (a machine without swap accounting).
[[nodiscard]] inline std::optional<std::uint64_t> no_swap() {
  return has_limit("swap_max") ? std::optional<std::uint64_t>(0) : std::nullopt;
}

[[nodiscard]] inline nr::Limits limits_now(Running& command) {
  return value_of(nr::blocking::get(command.process().limits(), verb_deadline()));
}

/// The group of a process in the hierarchy of this controller, from its /proc/pid/cgroup: of v1 where that has it.
[[nodiscard]] inline std::string group_in(std::string_view memberships, std::string_view controller) {
  std::string unified;
  while (!memberships.empty()) {
    const std::string_view line = memberships.substr(0, memberships.find('\n'));
    memberships.remove_prefix(std::min(line.size() + 1, memberships.size()));
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string names = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    const bool is_it = names.find("," + std::string(controller) + ",") != std::string::npos;
    if (is_it) return std::string(line.substr(second + 1));
    if (names == ",,") unified = line.substr(second + 1);
  }
  return unified;
}

/// Every directory of an owner's instance below any mounted hierarchy.
[[nodiscard]] inline std::vector<std::string> own_limit_groups(pid_t owner = getpid()) {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mounts");
  std::string device, point, kind, rest;
  const std::string ours = "-" + std::to_string(owner) + "-";
  while (mounts >> device >> point >> kind && std::getline(mounts, rest)) {
    if (kind != "cgroup" && kind != "cgroup2") continue;
    std::error_code failed;
    for (auto entry = std::filesystem::recursive_directory_iterator(point, failed);
         entry != std::filesystem::recursive_directory_iterator(); entry.increment(failed)) {
      const std::string path = entry->path().string();
      if (path.find("/netrunner-") == std::string::npos || path.find(ours) == std::string::npos) continue;
      if (entry->is_directory(failed)) found.push_back(path);
    }
  }
  return found;
}

/// Of them, those of single commands with limits.
[[nodiscard]] inline std::vector<std::string> own_limit_groups_of_commands() {
  std::vector<std::string> found = own_limit_groups();
  std::erase_if(found, [](const std::string& path) {
    const std::string name = std::filesystem::path(path).filename().string();
    return name.size() < 2 || name[0] != 'l' || name.find_first_not_of("0123456789", 1) != std::string::npos;
  });
  return found;
}

[[nodiscard]] inline std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

}  // namespace tests

#define SKIP_WITHOUT_LIMIT(name) \
  if (const std::string reason = ::tests::why_no_limit(name); !reason.empty()) GTEST_SKIP() << name << ": " << reason
