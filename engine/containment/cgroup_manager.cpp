#include "engine/containment/cgroup_manager.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "engine/containment/instance_name.hpp"
#include "engine/containment/own_groups.hpp"

namespace netrunner::containment {
namespace {

Error unavailable(std::string subject, int sys_errno, std::string advice) {
  Error error = system_error(std::move(subject), Stage::cgroup, sys_errno);
  error.advice = std::move(advice);
  return error;
}

Error not_writable(const std::string& path, const Error& cause) {
  return unavailable(path, cause.sys_errno,
                     cause.sys_errno == EROFS
                         ? "the hierarchy is mounted read-only, as containers have it: mount it writable"
                         : "a group can't be made there: it isn't delegated to this user; run under "
                           "systemd-run --user --scope -p Delegate=yes, or set Delegate=yes in the unit");
}

}  // namespace

Result<std::unique_ptr<CgroupManager>> CgroupManager::open() {
  const OwnGroups own = OwnGroups::read();
  NR_TRY(us, InstanceName::own());
  SweepReport swept = sweep_dead_owners_v1(own, us);
  if (!own.path(os::Hierarchy::unified)) return std::unexpected(own.path(os::Hierarchy::unified).error());
  const std::string& path = *own.path(os::Hierarchy::unified);
  auto base = os::Cgroup::open(path.c_str());
  if (!base) return std::unexpected(not_writable(path, base.error()));
  const SweepReport here = sweep_dead_owners(os::Hierarchy::unified, path, us);
  swept.instances += here.instances;
  swept.processes += here.processes;
  swept.left += here.left;
  const std::string name = us.text();
  auto instance = base->make_child(name.c_str());
  if (!instance) return std::unexpected(not_writable(path, instance.error()));
  if (::faccessat(base->fd(), "cgroup.procs", W_OK, AT_EACCESS) != 0) {
    (void)base->remove_child(name.c_str());
    return std::unexpected(unavailable(path + "/cgroup.procs", errno,
                                       "a process can be born in a group below only with write permission here: "
                                       "have the group delegated (systemd: Delegate=yes)"));
  }
  std::unique_ptr<CgroupManager> manager(new CgroupManager(std::move(*base), name, path + "/" + name));
  manager->swept_ = swept;
  return manager;
}

CgroupManager::~CgroupManager() { (void)::unlinkat(base_.fd(), name_.c_str(), AT_REMOVEDIR); }

Result<os::Cgroup> CgroupManager::make_group(const std::string& name) const {
  // The instance's group goes with the last one below it, another engine's perhaps.
  NR_TRY(instance, base_.make_child(name_.c_str()));
  return instance.make_child(name.c_str());
}

int CgroupManager::remove_group(const std::string& name) const {
  return os::remove_child_of(base_.open_child(name_.c_str()), name.c_str());
}

}  // namespace netrunner::containment
