#include "engine/containment/own_groups.hpp"

#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

namespace netrunner::containment {
namespace {

Error unavailable(std::string subject, std::string advice) {
  return {ErrorCode::not_found, Stage::cgroup, 0, std::move(subject), std::move(advice)};
}

/// A mount of a hierarchy: where it is, and which group its root shows.
struct Mount {
  std::string point, root;
  std::string kind;     ///< "cgroup2" or "cgroup".
  std::string options;  ///< Of the file system: v1 names its controllers here.
};

std::vector<Mount> read_mounts() {
  std::vector<Mount> mounts;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t separator = line.find(" - cgroup");
    if (separator == std::string::npos) continue;
    std::istringstream fields(line), rest(line.substr(separator + 3));
    std::string id, parent, device, source;
    Mount mount;
    fields >> id >> parent >> device >> mount.root >> mount.point;
    rest >> mount.kind >> source >> mount.options;
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

bool lists(std::string_view commas, std::string_view name) {
  while (!commas.empty()) {
    const std::size_t comma = commas.find(',');
    if (commas.substr(0, comma) == name) return true;
    commas.remove_prefix(comma == std::string_view::npos ? commas.size() : comma + 1);
  }
  return false;
}

/// A line "4:memory:/path" of /proc/self/cgroup; "0::/path" is the unified hierarchy's.
struct Membership {
  std::string controllers, group;
};

std::vector<Membership> read_memberships() {
  std::vector<Membership> all;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    all.push_back({line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return all;
}

std::string without_host_group(std::string group) {
  const std::string last = std::string("/") + OwnGroups::host_group;
  if (group.ends_with(last)) group.erase(group.size() - last.size());
  return group.empty() ? "/" : group;
}

const Mount* find_mount(const std::vector<Mount>& mounts, os::Hierarchy hierarchy) {
  const bool unified = hierarchy == os::Hierarchy::unified;
  for (const Mount& mount : mounts) {
    if (unified ? mount.kind == "cgroup2" : mount.kind == "cgroup" && lists(mount.options, os::name_of(hierarchy))) {
      return &mount;
    }
  }
  return nullptr;
}

const Membership* find_membership(const std::vector<Membership>& all, os::Hierarchy hierarchy) {
  const bool unified = hierarchy == os::Hierarchy::unified;
  for (const Membership& one : all) {
    if (unified ? one.controllers.empty() : lists(one.controllers, os::name_of(hierarchy))) return &one;
  }
  return nullptr;
}

Result<std::string> directory_of(const Mount& mount, std::string group) {
  // A mount inside a container shows only a part of the hierarchy.
  if (mount.root != "/" && group.starts_with(mount.root)) group.erase(0, mount.root.size());
  if (group.starts_with("/..")) {
    return std::unexpected(unavailable(group, "our own group lies outside what is mounted at " + mount.point));
  }
  return group == "/" || group.empty() ? mount.point : mount.point + group;
}

Error not_mounted(os::Hierarchy hierarchy) {
  if (hierarchy == os::Hierarchy::unified) {
    return unavailable("/proc/self/mountinfo",
                       "no cgroup2 file system is mounted: mount -t cgroup2 none /sys/fs/cgroup");
  }
  const std::string name = os::name_of(hierarchy);
  return unavailable("/proc/self/mountinfo", "no cgroup v1 hierarchy of the " + name + " controller is mounted");
}

}  // namespace

OwnGroups::OwnGroups() { paths_.fill(std::unexpected(Error{})); }

OwnGroups OwnGroups::read() {
  OwnGroups groups;
  const std::vector<Mount> mounts = read_mounts();
  const std::vector<Membership> memberships = read_memberships();
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    Result<std::string>& path = groups.paths_[static_cast<std::size_t>(hierarchy)];
    const Mount* mount = find_mount(mounts, hierarchy);
    const Membership* membership = find_membership(memberships, hierarchy);
    if (mount == nullptr) {
      path = std::unexpected(not_mounted(hierarchy));
    } else if (membership == nullptr) {
      path = std::unexpected(unavailable("/proc/self/cgroup", "the kernel names no group of ours in it"));
    } else {
      path = directory_of(*mount, without_host_group(membership->group));
    }
  }
  return groups;
}

}  // namespace netrunner::containment
