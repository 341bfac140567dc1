#pragma once
/// Engines of a given containment, and processes as the host sees them, whatever namespace they live in.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/proc.hpp"

namespace tests {

[[nodiscard]] inline nr::EngineOptions options_of(nr::Containment level, std::uint32_t shards = 1) {
  nr::EngineOptions options;
  options.shards = shards;
  options.containment = level;
  return options;
}

/// Empty: it can be had here; else why not.
[[nodiscard]] inline std::string why_not(nr::Containment level) {
  const nr::Result<nr::Engine> engine = nr::Engine::open(options_of(level));
  return engine ? std::string() : engine.error().message();
}

/// The number by which we know a process that knows itself as `inside`; `companion` lives in the same PID namespace.
[[nodiscard]] inline pid_t outside_pid(pid_t inside, pid_t companion) {
  const auto space_of = [](pid_t pid) {
    std::error_code failed;
    return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/pid", failed).string();
  };
  const std::string space = space_of(companion);
  for (const ProcessEntry& entry : processes()) {
    const std::string status = proc_file(entry.pid, "status");
    const std::size_t at = status.find("NSpid:");
    if (at == std::string::npos || space_of(entry.pid) != space) continue;
    std::istringstream numbers(status.substr(at + 6, status.find('\n', at) - at - 6));
    pid_t number = 0;
    while (numbers >> number) {
    }
    if (number == inside) return entry.pid;
  }
  return -1;
}

/// A command that stays, with a grandchild that has left its group and its session and is deaf.
struct WithEscapee {
  Running command;
  pid_t escapee = -1;
};
[[nodiscard]] inline WithEscapee with_escapee(EngineFixture& host, const nr::Command& command) {
  WithEscapee both{.command = host.spawn(command), .escapee = -1};
  std::string line;
  while (line.find('\n') == std::string::npos) line += both.command.read_text();
  both.escapee = outside_pid(std::atoi(line.c_str()), both.command.pid());
  if (both.escapee <= 0) throw std::runtime_error("no escapee is seen");
  return both;
}

/// Where cgroup v2 is mounted; empty: nowhere.
[[nodiscard]] inline std::string own_cgroup_mount() {
  std::ifstream mounts("/proc/self/mounts");
  std::string device, point, kind, rest, mount;
  while (mounts >> device >> point >> kind && std::getline(mounts, rest)) {
    if (kind == "cgroup2") mount = point;
  }
  return mount;
}

/// Our own group below it; empty: nowhere.
[[nodiscard]] inline std::string own_cgroup_path() {
  std::ifstream groups("/proc/self/cgroup");
  const std::string mount = own_cgroup_mount();
  std::string line;
  while (!mount.empty() && std::getline(groups, line)) {
    if (line.starts_with("0::")) return line == "0::/" ? mount : mount + line.substr(3);
  }
  return {};
}

/// Folders of this process's instance: netrunner-<boot id>-<pid namespace>-<pid>-<start time> and all below it.
[[nodiscard]] inline std::vector<std::string> own_instance_cgroups() {
  std::vector<std::string> found;
  std::error_code failed;
  const std::string own = own_cgroup_path();
  if (own.empty()) return found;
  for (const auto& entry : std::filesystem::directory_iterator(own, failed)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("netrunner-")) continue;
    if (name.find("-" + std::to_string(getpid()) + "-") == std::string::npos) continue;
    found.push_back(entry.path().string());
    for (const auto& inner : std::filesystem::recursive_directory_iterator(entry, failed)) {
      if (inner.is_directory(failed)) found.push_back(inner.path().string());
    }
  }
  return found;
}

[[nodiscard]] inline std::string test_name_of(nr::Containment level) { return std::string(nr::name_of(level)); }

}  // namespace tests

#define SKIP_WITHOUT_CONTAINMENT(level) \
  if (const std::string reason = ::tests::why_not(level); !reason.empty()) GTEST_SKIP() << reason
