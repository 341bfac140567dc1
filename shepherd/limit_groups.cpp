#include "shepherd/limit_groups.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "engine/wire/leaf_writes.hpp"

namespace netrunner::shepherd {
namespace {

struct PathBelow {
  PathBelow(const char* group, const char* file) noexcept {
    (void)std::snprintf(text, sizeof text, "%s/%s", group, file);
  }
  char text[128];
};

os::UniqueFd open_members(const os::Cgroup& directory, const char* group) {
  return os::UniqueFd(::openat(directory.fd(), PathBelow(group, "cgroup.procs").text, O_WRONLY | O_CLOEXEC));
}

}  // namespace

void LimitGroups::add(std::uint32_t hierarchies, std::span<os::UniqueFd> directories) {
  std::size_t next = 0;
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    if (!os::has(hierarchies, hierarchy) || next == directories.size()) continue;
    os::UniqueFd directory = std::move(directories[next++]);
    (void)::flock(directory.get(), LOCK_SH);  // As the leaves: no start of another engine sweeps it.
    if (hierarchy == os::Hierarchy::unified) {
      leaves_.open_limited(std::move(directory));
    } else {
      directories_[static_cast<std::size_t>(hierarchy)] = os::Cgroup(std::move(directory));
    }
  }
}

LimitGroups::Made LimitGroups::make(const Wanted& wanted) {
  Made made;
  made.number = next_++;
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    if (os::has(wanted.hierarchies, hierarchy)) made.sys_errno = make_group(hierarchy, wanted, made);
    if (made.sys_errno != 0) break;
  }
  if (made.sys_errno == 0) made.sys_errno = write_all(wanted, made);
  if (made.sys_errno == 0) return made;
  if (made.leaf.leaf != Leaves::none) leaves_.discard(made.leaf.leaf);
  discard(made.number, wanted.hierarchies);
  return made;
}

int LimitGroups::make_group(os::Hierarchy hierarchy, const Wanted& wanted, Made& made) {
  os::UniqueFd& members = made.members[static_cast<std::size_t>(hierarchy)];
  const GroupName name('l', made.number);
  if (hierarchy == os::Hierarchy::unified) {
    made.leaf = leaves_.make_limited(made.number);
    if (made.leaf.sys_errno != 0 || wanted.born_inside) return made.leaf.sys_errno;
    members = open_members(leaves_.limited(), name.text);
    return members ? 0 : errno;
  }
  const os::Cgroup& above = directory(hierarchy);
  if (!above) return ENOENT;
  // It may be there: two controllers that are mounted together are one directory.
  if (::mkdirat(above.fd(), name.text, 0755) != 0 && errno != EEXIST) return errno;
  members = open_members(above, name.text);
  return members ? 0 : errno;
}

int LimitGroups::write_all(const Wanted& wanted, Made& made) const {
  wire::LeafWriteReader writes(wanted.writes);
  const GroupName name('l', made.number);
  for (std::uint32_t i = 0; writes.next(); ++i) {
    const bool unified = writes.hierarchy() == os::Hierarchy::unified;
    const os::Cgroup& above = unified ? leaves_.limited() : directory(writes.hierarchy());
    made.limits_memory = made.limits_memory || std::strncmp(writes.file(), "memory.", 7) == 0;
    const int failure = above.write(PathBelow(name.text, writes.file()).text, writes.value());
    if (failure == 0) continue;
    if (!wanted.best_effort) {
      made.failed_write = i;
      return failure;
    }
    made.refused_writes |= std::uint32_t{1} << i;
  }
  return 0;
}

std::array<os::UniqueFd, os::hierarchies> LimitGroups::open_members_of(std::uint32_t number,
                                                                       std::uint32_t hierarchies,
                                                                       bool born_inside) const {
  std::array<os::UniqueFd, os::hierarchies> members;
  const GroupName name('l', number);
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    const bool unified = hierarchy == os::Hierarchy::unified;
    if (!os::has(hierarchies, hierarchy) || (unified && born_inside)) continue;
    members[static_cast<std::size_t>(hierarchy)] =
        open_members(unified ? leaves_.limited() : directory(hierarchy), name.text);
  }
  return members;
}

void LimitGroups::discard(std::uint32_t number, std::uint32_t hierarchies) {
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    if (!os::has(hierarchies, hierarchy) || !directory(hierarchy)) continue;
    leftovers_.remove(directory(hierarchy), GroupName('l', number));
  }
}

void LimitGroups::read(std::uint32_t number, std::uint32_t hierarchies, os::CgroupUsage& usage) const {
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    if (!os::has(hierarchies, hierarchy) || !directory(hierarchy)) continue;
    const auto group = directory(hierarchy).open_child(GroupName('l', number).text);
    if (group) os::read_usage(*group, hierarchy, usage);
  }
}

void LimitGroups::remove_all(std::int64_t until_ns) const {
  for (const os::Cgroup& above : directories_) {
    if (above) (void)end_group(above, until_ns);
  }
}

}  // namespace netrunner::shepherd
