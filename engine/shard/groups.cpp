#include "engine/shard/groups.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "engine/os/descriptor.hpp"
#include "engine/shard/limits.hpp"
#include "engine/shard/log_lines.hpp"

namespace netrunner::shard {
namespace {

constexpr std::int64_t retry_pause_min_ns = 2'000'000;
constexpr std::int64_t retry_pause_max_ns = 1'000'000'000;
constexpr std::int64_t hunt_pause_max_ns = 16'000'000;
constexpr std::int64_t hunt_max_ns = 10'000'000'000;  ///< What can't be killed within it is asked for at leisure.
constexpr int last_tries = 100;

}  // namespace

Groups::Groups(reactor::Reactor& reactor, const containment::CgroupManager* manager, std::string name,
               const Logger& logger)
    : reactor_(reactor),
      manager_(manager),
      name_(std::move(name)),
      logger_(logger),
      retry_(this, [](void* self) { static_cast<Groups*>(self)->try_again(); }),
      retry_pause_ns_(retry_pause_min_ns) {}

Groups::~Groups() { reactor_.timers().disarm(retry_); }

bool Groups::Group::any() const noexcept {
  return group || std::ranges::any_of(limited, [](const os::Cgroup& one) { return static_cast<bool>(one); });
}

bool Groups::Group::may_be_populated() const noexcept {
  const os::Cgroup& alone = limited[static_cast<std::size_t>(os::Hierarchy::unified)];
  const os::Cgroup& all = group ? group : alone;
  return all && all.population() != os::Population::empty;
}

void Groups::Group::kill() const noexcept {
  const os::Cgroup& alone = limited[static_cast<std::size_t>(os::Hierarchy::unified)];
  if (group) (void)group.kill();
  if (!group && alone) (void)alone.kill();
}

os::UniqueFd Groups::next() {
  kill_present();
  present_ = Group{};
  present_.name = name_ + "." + std::to_string(lives_++);
  if (manager_ == nullptr) return {};
  auto made = manager_->make_group(present_.name);
  if (made) present_.group = std::move(*made);
  return copy();
}

Result<Groups::Limited> Groups::open_limited(containment::LimitPlaces& places, std::uint32_t hierarchies) {
  places_ = &places;
  Limited opened;
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    if (!os::has(hierarchies, hierarchy) || os::has(present_.given, hierarchy)) continue;
    os::Cgroup& directory = present_.limited[static_cast<std::size_t>(hierarchy)];
    if (!directory) {
      NR_TRY(made, places.make_life(hierarchy, present_.name));
      directory = std::move(made);
    }
    NR_TRY(copied, os::duplicate_above_stdio(directory.fd()));
    opened.hierarchies |= os::bit_of(hierarchy);
    opened.fresh.push_back(std::move(copied));
  }
  present_.given |= opened.hierarchies;  // All or none: what fails half-way is asked for again by the next command.
  return opened;
}

containment::CommandGroups Groups::of_command(std::uint32_t limit_group, std::uint32_t hierarchies) const {
  containment::CommandGroups groups;
  const std::string name = "l" + std::to_string(limit_group);
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    const os::Cgroup& directory = present_.limited[static_cast<std::size_t>(hierarchy)];
    if (!os::has(hierarchies, hierarchy) || !directory) continue;
    auto group = directory.open_child(name.c_str());
    if (group) groups[static_cast<std::size_t>(hierarchy)] = std::move(*group);
  }
  return groups;
}

os::Cgroup Groups::leaf(std::uint32_t leaf) const {
  if (!present_.group) return {};
  auto opened = present_.group.open_child(("plain/c" + std::to_string(leaf)).c_str());
  return opened ? std::move(*opened) : os::Cgroup();
}

os::UniqueFd Groups::copy() const {
  if (!present_.group) return {};
  auto copied = os::duplicate_above_stdio(present_.group.fd());
  return copied ? std::move(*copied) : os::UniqueFd();
}

void Groups::kill_present() {
  if (!present_.any()) return;
  present_.kill();
  present_.killed_ns = reactor_.now_ns();
  old_.push_back(std::exchange(present_, {}));
  retry_pause_ns_ = retry_pause_min_ns;
  try_again();
}

void Groups::kill_marked(std::uint64_t mark) {
  if (mark == 0) return;
  lost_.hunt(mark);
  lost_ns_ = reactor_.now_ns();
  retry_pause_ns_ = retry_pause_min_ns;
  try_again();
}

bool Groups::the_dead_are_gone() const noexcept {
  if (lost_.hunts()) return false;
  return std::ranges::none_of(old_, [](const Group& old) { return old.may_be_populated(); });
}

void Groups::remove_old() {
  std::erase_if(old_, [this](Group& old) { return remove(old); });
}

bool Groups::remove(Group& old) const {
  old.kill();  // Whoever was on its way in at the first one.
  const int failed = remove_directories(old);
  if (failed == 0) {
    if (old.complained) log(logger_, LogLevel::info, [&] { return group_removed_line(old.name); });
    return true;
  }
  if (!old.complained && reactor_.now_ns() - old.killed_ns >= group_stays_ns) {
    old.complained = true;
    log(logger_, LogLevel::warning, [&] { return group_stays_line(old.name, failed); });
  }
  return false;
}

/// With limits in v2 both names are of one directory: whichever comes first removes it.
int Groups::remove_directories(const Group& old) const {
  int failed = 0;
  for (const os::Hierarchy hierarchy : os::all_hierarchies) {
    if (!old.limited[static_cast<std::size_t>(hierarchy)]) continue;
    if (const int failure = places_->remove_life(hierarchy, old.name); failure != 0) failed = failure;
  }
  const int failure = old.group ? manager_->remove_group(old.name) : 0;
  return failure != 0 ? failure : failed;
}

void Groups::try_again() {
  remove_old();
  lost_.kill_some();
  if (old_.empty() && !lost_.hunts()) return;
  reactor_.timers().arm(retry_, reactor_.now_ns() + retry_pause_ns_);
  const bool hunts = lost_.hunts() && reactor_.now_ns() - lost_ns_ < hunt_max_ns;
  retry_pause_ns_ = std::min(2 * retry_pause_ns_, hunts ? hunt_pause_max_ns : retry_pause_max_ns);
}

void Groups::remove_all() {
  kill_present();
  for (int i = 0; i < last_tries && !old_.empty(); ++i) {
    remove_old();
    if (!old_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (places_ != nullptr) places_->remove_instances();
  reactor_.timers().disarm(retry_);
}

}  // namespace netrunner::shard
