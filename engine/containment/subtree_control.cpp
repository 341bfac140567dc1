#include "engine/containment/subtree_control.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "engine/containment/own_groups.hpp"

namespace netrunner::containment {
namespace {

/// EBUSY and ENODEV come, rarely, while another process moves or removes on the other side.
constexpr int tries_max = 20;
constexpr auto pause = std::chrono::milliseconds(1);
constexpr int moving_rounds_max = 50;
constexpr const char* shepherd_name = "nr-shepherd";

struct Parentage {
  std::string name;
  pid_t parent = 0;
};

/// Of proc(5) /proc/pid/stat: "pid (name) state ppid ...". No name: it has gone.
Parentage parentage_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t open = line.find('('), close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return {};
  Parentage result{line.substr(open + 1, close - open - 1), 0};
  std::istringstream rest(line.substr(close + 1));
  std::string state;
  rest >> state >> result.parent;
  return result;
}

bool is_ours(pid_t pid) {
  for (pid_t at = pid; at > 1;) {
    if (at == ::getpid()) return true;
    const Parentage found = parentage_of(at);
    if (found.name.empty() || found.name == shepherd_name) return true;  // Gone, or a shepherd.
    at = found.parent;
  }
  return false;
}

std::vector<pid_t> members_of(const os::Cgroup& group) {
  std::vector<pid_t> pids;
  std::array<char, 64 * 1024> text{};
  if (!group.read("cgroup.procs", text)) return pids;
  std::istringstream numbers(text.data());
  for (pid_t pid = 0; numbers >> pid;) pids.push_back(pid);
  return pids;
}

Error internal_processes(const std::string& path, pid_t stranger) {
  Error error{ErrorCode::limit_unavailable, Stage::cgroup, EBUSY, path + "/cgroup.subtree_control", {}};
  const std::string name = stranger == 0 ? "of another PID namespace" : parentage_of(stranger).name;
  error.advice = "a group with processes of its own can't hand controllers down, and process " +
                 std::to_string(stranger) + " (" + name +
                 ") in it isn't ours to move: start the host in a group of its own, systemd-run --user --scope "
                 "-p Delegate=yes, or as a service with Delegate=yes";
  return error;
}

/// All of them, or none.
Result<void> move_processes_down(const os::Cgroup& group, const std::string& path) {
  for (const pid_t pid : members_of(group)) {
    if (pid == 0 || !is_ours(pid)) return std::unexpected(internal_processes(path, pid));
  }
  auto host = group.make_child(OwnGroups::host_group);
  if (!host) {
    Error error = std::move(host).error();
    error.subject = path + "/" + OwnGroups::host_group;
    return std::unexpected(std::move(error));
  }
  for (int round = 0; round < moving_rounds_max; ++round) {
    const std::vector<pid_t> left = members_of(group);
    if (left.empty()) return {};
    for (const pid_t pid : left) (void)host->write("cgroup.procs", std::to_string(pid).c_str());
  }
  return std::unexpected(internal_processes(path, members_of(group).empty() ? 0 : members_of(group).front()));
}

Error refused(const std::string& path, Controller controller, int sys_errno) {
  Error error = system_error(path + "/cgroup.subtree_control", Stage::cgroup, sys_errno);
  error.code = ErrorCode::limit_unavailable;
  const std::string name = name_of(controller);
  if (sys_errno == EACCES || sys_errno == EPERM) {
    error.advice = "the group isn't delegated to this user, so the " + name +
                   " controller can't be handed down: run under systemd-run --user --scope -p Delegate=yes, or set "
                   "Delegate=yes in the unit";
  } else if (sys_errno == EROFS) {
    error.advice = "the hierarchy is mounted read-only, as containers have it: mount it writable";
  } else {
    error.advice = "the " + name + " controller can't be handed down to groups below";
  }
  return error;
}

}  // namespace

bool lists_controller(std::string_view list, Controller controller) noexcept {
  const std::string_view name = name_of(controller);
  while (!list.empty()) {
    const std::size_t end = list.find_first_of(" \n");
    if (list.substr(0, end) == name) return true;
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return false;
}

Result<void> hand_down(const os::Cgroup& group, const std::string& path, Controller controller) {
  char listed[512];
  if (group.read("cgroup.subtree_control", listed) && lists_controller(listed, controller)) return {};
  const std::string order = std::string("+") + name_of(controller);
  int failure = 0;
  bool moved = false;
  for (int i = 0; i < tries_max; ++i) {
    failure = group.write("cgroup.subtree_control", order.c_str());
    if (failure == 0) return {};
    if (failure != EBUSY && failure != ENODEV) break;
    // The root alone has no cgroup.type, and may have processes.
    if (failure == EBUSY && !moved && group.has("cgroup.type") && !members_of(group).empty()) {
      NR_TRY_VOID(move_processes_down(group, path));
      moved = true;
      continue;
    }
    std::this_thread::sleep_for(pause);
  }
  return std::unexpected(refused(path, controller, failure));
}

}  // namespace netrunner::containment
