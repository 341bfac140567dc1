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

os::UniqueFd Groups::next() {
  if (manager_ == nullptr) return {};
  kill_present();
  std::string name = name_ + "." + std::to_string(lives_++);
  auto made = manager_->make_group(name);
  if (!made) return {};
  present_ = {.name = std::move(name), .group = std::move(*made)};
  return copy();
}

os::UniqueFd Groups::copy() const {
  if (!present_.group) return {};
  auto copied = os::duplicate_above_stdio(present_.group.fd());
  return copied ? std::move(*copied) : os::UniqueFd();
}

void Groups::kill_present() {
  if (!present_.group) return;
  (void)present_.group.kill();
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
  return std::ranges::none_of(
      old_, [](const Group& old) { return old.group.population() == os::Population::populated; });
}

void Groups::remove_old() {
  std::erase_if(old_, [this](Group& old) { return remove(old); });
}

bool Groups::remove(Group& old) const {
  (void)old.group.kill();  // Whoever was on its way in at the first one.
  const int failed = manager_->remove_group(old.name);
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
  reactor_.timers().disarm(retry_);
}

}  // namespace netrunner::shard
