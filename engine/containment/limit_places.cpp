#include "engine/containment/limit_places.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "engine/containment/instance_name.hpp"
#include "engine/containment/subtree_control.hpp"

namespace netrunner::containment {
namespace {

constexpr std::size_t controllers_bytes = 512;

std::string text_in(const os::Cgroup& group, const char* file) {
  char text[4096];
  std::string result = group.read(file, text) ? text : "";
  while (result.ends_with('\n')) result.pop_back();
  return result;
}

/// A new group of the v1 cpuset controller has no CPU and no memory, and takes nobody in before it has.
void inherit_cpuset(const os::Cgroup& parent, const os::Cgroup& group) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    if (text_in(group, file).empty()) (void)group.write(file, text_in(parent, file).c_str());
  }
}

Result<os::Cgroup> make_below(os::Hierarchy hierarchy, const os::Cgroup& parent, const std::string& path,
                              const std::string& name) {
  auto made = parent.make_child(name.c_str());
  if (!made) {
    Error error = std::move(made).error();
    error.code = ErrorCode::limit_unavailable;
    error.subject = path + "/" + name;
    return std::unexpected(std::move(error));
  }
  if (hierarchy == os::Hierarchy::cpuset) inherit_cpuset(parent, *made);
  return made;
}

Error not_ours(os::Hierarchy hierarchy, const std::string& path, int sys_errno) {
  Error error = system_error(path, Stage::cgroup, sys_errno);
  error.code = ErrorCode::limit_unavailable;
  error.advice = std::string("the hierarchy of the v1 ") + os::name_of(hierarchy) +
                 (sys_errno == EROFS ? " controller is mounted read-only: mount it writable"
                                     : " controller isn't this user's to change: run as root, or boot with "
                                       "systemd.unified_cgroup_hierarchy=1 and run under systemd-run --user --scope "
                                       "-p Delegate=yes");
  return error;
}

/// Whatever `group` has from above is handed down; `wanted` is known to be among it.
Result<void> hand_down_all(const os::Cgroup& group, const std::string& path) {
  char offered[controllers_bytes];
  if (!group.read("cgroup.controllers", offered)) {
    Error error = system_error(path + "/cgroup.controllers", Stage::cgroup);
    error.code = ErrorCode::limit_unavailable;
    return std::unexpected(std::move(error));
  }
  for (const Controller controller : all_controllers) {
    if (lists_controller(offered, controller)) NR_TRY_VOID(hand_down(group, path, controller));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<LimitPlaces>> LimitPlaces::open(const CgroupManager* leaves) {
  NR_TRY(us, InstanceName::own());
  OwnGroups own = OwnGroups::read();
  if (leaves == nullptr) (void)sweep_dead_owners_v1(own, us);
  return std::unique_ptr<LimitPlaces>(new LimitPlaces(std::move(own), us.text(), leaves));
}

LimitPlaces::~LimitPlaces() { remove_instances(); }

void LimitPlaces::remove_instances() const {
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    const auto& path = own_.path(hierarchy);
    if (path) (void)::rmdir((*path + "/" + name_).c_str());
  }
}

bool LimitPlaces::offers(Controller controller) const {
  const auto& path = own_.path(os::Hierarchy::unified);
  const auto base = path ? os::Cgroup::open(path->c_str()) : Result<os::Cgroup>();
  char offered[controllers_bytes];
  return path && base && base->read("cgroup.controllers", offered) && lists_controller(offered, controller);
}

Result<const CgroupManager*> LimitPlaces::unified() {
  if (leaves_ != nullptr) return leaves_;
  if (own_leaves_ == nullptr) {
    auto opened = CgroupManager::open();
    if (!opened) return std::unexpected(std::move(opened).error());
    own_leaves_ = std::move(*opened);
  }
  return own_leaves_.get();
}

/// The one that is wanted first; the others that are there come with it, so that each limit can be set later.
Result<void> LimitPlaces::enable(Controller controller) {
  NR_TRY(manager, unified());
  const std::string& path = *own_.path(os::Hierarchy::unified);
  NR_TRY(base, os::Cgroup::open(path.c_str()));
  NR_TRY_VOID(hand_down(base, path, controller));
  for (const Controller other : all_controllers) {
    if (offers(other)) (void)hand_down(base, path, other);
  }
  NR_TRY(instance, os::Cgroup::open(manager->path().c_str()));
  return hand_down_all(instance, manager->path());
}

Result<os::Hierarchy> LimitPlaces::place_of(Controller controller) {
  const std::lock_guard guard(mutex_);
  if (offers(controller)) {
    NR_TRY_VOID(enable(controller));
    return os::Hierarchy::unified;
  }
  const os::Hierarchy home = v1_of(controller);
  if (!own_.path(home)) return std::unexpected(nowhere(controller));
  NR_TRY_VOID(make_v1(home));
  return home;
}

Result<os::Cgroup> LimitPlaces::make_v1(os::Hierarchy hierarchy) const {
  const auto& path = own_.path(hierarchy);
  if (!path) return std::unexpected(path.error());
  const auto base = os::Cgroup::open(path->c_str());
  if (!base) return std::unexpected(not_ours(hierarchy, *path, base.error().sys_errno));
  auto made = make_below(hierarchy, *base, *path, name_);
  if (!made) return std::unexpected(not_ours(hierarchy, *path, made.error().sys_errno));
  return made;
}

Error LimitPlaces::nowhere(Controller controller) const {
  const auto& unified = own_.path(os::Hierarchy::unified);
  const std::string name = name_of(controller);
  Error error{ErrorCode::limit_unavailable, Stage::cgroup, 0, {}, {}};
  if (!unified) {
    error.subject = unified.error().subject;
    error.advice = "neither a cgroup2 file system nor the v1 " + name + " controller is mounted";
    return error;
  }
  const auto base = os::Cgroup::open(unified->c_str());
  const std::string offered = base ? text_in(*base, "cgroup.controllers") : "";
  error.subject = *unified + "/cgroup.controllers";
  error.advice = "it has " + (offered.empty() ? std::string("no controller") : "only " + offered) +
                 ", and no v1 hierarchy of " + name + " is mounted: the group above must hand " + name +
                 " down (systemd: Delegate=" + name + " or Delegate=yes in the unit; for a user's own, in "
                 "user@.service), or the kernel was built without it";
  return error;
}

Result<std::uint32_t> LimitPlaces::cpu_clock() {
  const std::lock_guard guard(mutex_);
  if (leaves_ != nullptr) return 0;
  if (make_v1(os::Hierarchy::cpuacct)) {
    return os::bit_of(os::Hierarchy::cpuacct);
  }
  auto manager = unified();
  if (manager) return os::bit_of(os::Hierarchy::unified);
  Error error = std::move(manager).error();
  error.code = ErrorCode::limit_unavailable;
  return std::unexpected(std::move(error));
}

std::string LimitPlaces::path_of(os::Hierarchy hierarchy) const {
  const auto& path = own_.path(hierarchy);
  return path ? *path + "/" + name_ : std::string();
}

bool LimitPlaces::has_file(os::Hierarchy hierarchy, const char* file) const {
  return ::access((path_of(hierarchy) + "/" + file).c_str(), F_OK) == 0;
}

std::string LimitPlaces::text_of(os::Hierarchy hierarchy, const char* file) const {
  const auto group = os::Cgroup::open(path_of(hierarchy).c_str());
  return group ? text_in(*group, file) : std::string();
}

Result<os::Cgroup> LimitPlaces::make_life(os::Hierarchy hierarchy, const std::string& life) {
  const std::lock_guard guard(mutex_);
  if (hierarchy != os::Hierarchy::unified) {
    NR_TRY(instance, make_v1(hierarchy));
    return make_below(hierarchy, instance, path_of(hierarchy), life);
  }
  NR_TRY(manager, unified());
  const std::string path = manager->path() + "/" + life;
  NR_TRY(group, manager->make_group(life));
  NR_TRY_VOID(hand_down_all(group, path));
  NR_TRY(limited, make_below(hierarchy, group, path, OwnGroups::limited_group));
  NR_TRY_VOID(hand_down_all(limited, path + "/" + OwnGroups::limited_group));
  return std::move(limited);
}

int LimitPlaces::remove_life(os::Hierarchy hierarchy, const std::string& life) const {
  return os::remove_child_of(os::Cgroup::open(path_of(hierarchy).c_str()), life.c_str());
}

}  // namespace netrunner::containment
