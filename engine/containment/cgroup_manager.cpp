#include "engine/containment/cgroup_manager.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace netrunner::containment {
namespace {

constexpr int removal_tries = 50;
constexpr auto removal_pause = std::chrono::milliseconds(2);

Error unavailable(std::string subject, int sys_errno, std::string advice) {
  Error error = system_error(std::move(subject), Stage::cgroup, sys_errno);
  error.advice = std::move(advice);
  return error;
}

/// A mount of the v2 hierarchy: where it is, and which group its root shows. See proc(5), mountinfo.
struct Mount {
  std::string point, root;
};

Result<Mount> find_mount() {
  std::ifstream mounts("/proc/self/mountinfo");
  std::string line;
  while (std::getline(mounts, line)) {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos || !line.substr(separator + 3).starts_with("cgroup2 ")) continue;
    std::istringstream fields(line);
    std::string id, parent, device;
    Mount mount;
    fields >> id >> parent >> device >> mount.root >> mount.point;
    return mount;
  }
  return std::unexpected(unavailable("/proc/self/mountinfo", 0,
                                     "no cgroup2 file system is mounted: mount -t cgroup2 none /sys/fs/cgroup"));
}

/// Our own group: the line "0::/path" of proc(5) /proc/self/cgroup.
Result<std::string> own_group() {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    if (line.starts_with("0::")) return line.substr(3);
  }
  return std::unexpected(unavailable("/proc/self/cgroup", 0, "the kernel has no cgroup v2"));
}

Result<std::string> base_path() {
  NR_TRY(mount, find_mount());
  NR_TRY(group, own_group());
  // A mount inside a container shows only a part of the hierarchy.
  if (mount.root != "/" && group.starts_with(mount.root)) group.erase(0, mount.root.size());
  if (group.starts_with("/..")) {
    return std::unexpected(unavailable(group, 0, "our own group lies outside what is mounted at " + mount.point));
  }
  return group == "/" || group.empty() ? mount.point : mount.point + group;
}

Error not_writable(const std::string& path, const Error& cause) {
  return unavailable(path, cause.sys_errno,
                     cause.sys_errno == EROFS
                         ? "the hierarchy is mounted read-only, as containers have it: mount it writable"
                         : "a group can't be made there: it isn't delegated to this user; run under "
                           "systemd-run --user --scope -p Delegate=yes, or set Delegate=yes in the unit");
}

std::uint32_t kill_processes(const os::Cgroup& group) {
  std::uint32_t count = 0;
  (void)group.for_each_process(&count, [](void* counted, pid_t) { ++*static_cast<std::uint32_t*>(counted); });
  (void)group.kill();
  return count;
}

bool remove_patiently(const os::Cgroup& parent, const std::string& name) {
  for (int i = 0; i < removal_tries; ++i) {
    if (parent.remove_child(name.c_str()) == 0) return true;
    std::this_thread::sleep_for(removal_pause);
  }
  return false;
}

/// Groups whose owner is dead: killed, then removed.
SweepReport sweep(const os::Cgroup& base, const std::string& path, const InstanceName& us) {
  SweepReport report;
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return report;
  while (const dirent* entry = ::readdir(directory)) {
    const auto name = InstanceName::parse(entry->d_name);
    if (!name || name->owner_lives(us)) continue;
    ++report.instances;
    if (const auto dead = base.open_child(entry->d_name)) report.processes += kill_processes(*dead);
    if (!remove_patiently(base, entry->d_name)) ++report.left;
  }
  ::closedir(directory);
  return report;
}

}  // namespace

Result<std::unique_ptr<CgroupManager>> CgroupManager::open() {
  NR_TRY(path, base_path());
  NR_TRY(us, InstanceName::own());
  auto base = os::Cgroup::open(path.c_str());
  if (!base) return std::unexpected(not_writable(path, base.error()));
  const SweepReport swept = sweep(*base, path, us);
  const std::string name = us.text();
  auto instance = base->make_child(name.c_str());
  if (!instance) return std::unexpected(not_writable(path, instance.error()));
  if (::faccessat(base->fd(), "cgroup.procs", W_OK, AT_EACCESS) != 0) {
    (void)base->remove_child(name.c_str());
    return std::unexpected(unavailable(path + "/cgroup.procs", errno,
                                       "a process can be born in a group below only with write permission here: "
                                       "have the group delegated (systemd: Delegate=yes)"));
  }
  std::unique_ptr<CgroupManager> manager(
      new CgroupManager(std::move(*base), std::move(*instance), name, path + "/" + name));
  manager->swept_ = swept;
  return manager;
}

CgroupManager::~CgroupManager() { (void)::unlinkat(base_.fd(), name_.c_str(), AT_REMOVEDIR); }

Result<os::Cgroup> CgroupManager::make_group(const std::string& name) const {
  return instance_.make_child(name.c_str());
}

}  // namespace netrunner::containment
