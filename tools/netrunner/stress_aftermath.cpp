/// What must hold when the storm is over.

#include <algorithm>
#include <chrono>
#include <numeric>
#include <string>
#include <thread>
#include <unistd.h>

#include <netrunner/blocking.hpp>

#include "tools/netrunner/stress_storm.hpp"

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

/// What was killed still needs a processor to die, and a storm leaves few.
constexpr auto settle_max = std::chrono::seconds(20);

/// True as soon as it holds; false: not within the time.
template <class Holds>
bool eventually(Holds holds) {
  const Deadline deadline = Deadline::after(settle_max);
  while (!holds()) {
    if (Deadline::now_ns() > deadline.monotonic_ns()) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

std::vector<ProcEntry> own_children() {
  std::vector<ProcEntry> children;
  for (const pid_t pid : all_pids()) {
    const auto entry = proc_entry(pid);
    if (entry && entry->parent == ::getpid()) children.push_back(*entry);
  }
  return children;
}

/// netrunner-<boot id>-<pid namespace>-<pid>-<start time>, and whatever of ours is in one.
std::vector<std::string> own_cgroups() {
  std::vector<std::string> groups = folders_with_prefix(own_cgroup(), "netrunner-");
  std::erase_if(groups, [](const std::string& path) {
    return path.find("-" + std::to_string(::getpid()) + "-") == std::string::npos;
  });
  return groups;
}

}  // namespace

void Storm::check_before_close(Engine& engine) {
  EngineStats stats;
  const auto settled = [&] {
    stats = blocking::get(engine.stats());
    return stats.running() <= report_.detached;
  };
  if (!eventually(settled)) complain(std::to_string(stats.running()) + " commands run, more than were detached");
  const auto groups_removed = [&] {
    stats = blocking::get(engine.stats());
    return std::ranges::all_of(stats.shards, [](const ShardStats& shard) { return shard.groups_left == 0; });
  };
  if (!eventually(groups_removed)) complain("cgroups of lost shepherds are still there");
  std::uint64_t lost = 0;
  for (const ShardStats& shard : stats.shards) {
    const std::string name = "shard " + std::to_string(shard.shard) + ": ";
    const auto& reasons = shard.ended_by_reason;
    const std::uint64_t with_reason = std::accumulate(reasons.begin(), reasons.end(), std::uint64_t{0});
    if (with_reason != shard.ended) complain(name + "commands ended without a reason");
    if (shard.started != shard.ended + shard.running) {
      complain(name + std::to_string(shard.started) + " started, " + std::to_string(shard.ended) + " ended, " +
               std::to_string(shard.running) + " run");
    }
    if (shard.buffered_bytes != 0) complain(name + std::to_string(shard.buffered_bytes) + " bytes are held by nobody");
    lost += shard.shepherds_lost;
  }
  if (lost < report_.shepherds_killed) complain("not every kill of a shepherd was noticed");
}

void Storm::check_after_close(std::size_t descriptors_before, std::size_t threads_before) {
  if (!eventually([this] { return roll_.survivors().empty(); })) {
    complain("processes are left: " + to_string(roll_.survivors()));
  }
  if (!eventually([this] { return !roll_.anyone_holds(); })) complain("somebody still holds the roll file");
  if (!eventually([this] { return roll_.zombies().empty(); })) {
    complain("zombies are left: " + to_string(roll_.zombies()));
  }
  if (!eventually([] { return own_children().empty(); })) {
    complain("children of this process are left: " + to_string(own_children()));
  }
  if (!eventually([] { return own_cgroups().empty(); })) {
    complain(std::to_string(own_cgroups().size()) + " cgroups are left, as " + own_cgroups().front());
  }
  if (!eventually([&] { return own_descriptor_count() == descriptors_before; })) {
    complain(std::to_string(own_descriptor_count()) + " descriptors, before " + std::to_string(descriptors_before));
  }
  if (!eventually([&] { return own_thread_count() == threads_before; })) {
    complain(std::to_string(own_thread_count()) + " threads, before " + std::to_string(threads_before));
  }
}

}  // namespace netrunner::tool
