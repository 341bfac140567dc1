/// The end of a command's groups, whoever is in them: the kill never waits for the tidying. C1, C2, C11, K4.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bystander.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/limit_support.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

const nr::KillLadder short_ladder = {{SIGTERM, nr::Target::group, 200ms}};
constexpr const char* deaf_script = "trap '' TERM INT HUP; echo ready; while :; do sleep 1; done";

/// False: the kernel didn't take it in.
bool move_into(const std::string& group, pid_t pid) {
  std::ofstream members(group + "/cgroup.procs");
  members << pid << std::flush;
  return members.good();
}

/// The directory with limits of the only command there is, of the hierarchy that carries pids.
std::string limited_group() {
  for (const std::string& path : own_limit_groups_of_commands()) {
    if (std::filesystem::exists(path + "/pids.max")) return path;
  }
  return {};
}

TEST(Teardown, AStrangerInALeafHoldsNothingUpAndGoesWithIt) {  // K4
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::cgroup);
  if (geteuid() != 0) GTEST_SKIP() << "only root may move a process into another group";
  EngineFixture host{options_of(nr::Containment::cgroup)};
  Running deaf = host.spawn(sh(deaf_script).ladder(short_ladder));
  ASSERT_EQ(deaf.read_exactly(6), "ready\n");
  Bystander stranger({"sleep", "300"});
  const std::string group = group_in(proc_file(deaf.pid(), "cgroup"), "no such controller");
  const std::string own = group_in(proc_file(getpid(), "cgroup"), "no such controller");
  ASSERT_TRUE(move_into(own_cgroup_path() + group.substr(own == "/" ? 0 : own.size()), stranger.pid()));
  const Stopwatch watch;
  deaf.process().stop();
  const nr::Ended ended = deaf.wait();
  EXPECT_EQ(end_signal(ended), SIGKILL);
  EXPECT_LT(watch.elapsed(), patience(3s));
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_TRUE(WIFSIGNALED(stranger.wait())) << "who is in a command's leaf is the command's";
  EXPECT_EQ(host.shard_stats().groups_left, 0U);
}

TEST(Teardown, AStrangerInAGroupOfLimitsIsLeftAloneAndTold) {  // K4
  SKIP_WITHOUT_LIMIT("pids_max");
  if (geteuid() != 0) GTEST_SKIP() << "only root may move a process into another group";
  EngineFixture host;
  Running deaf = host.spawn(sh(deaf_script).ladder(short_ladder).limits({.pids_max = 20}));
  ASSERT_EQ(deaf.read_exactly(6), "ready\n");
  const std::string group = limited_group();
  ASSERT_FALSE(group.empty());
  if (group.ends_with("/limited/l0")) GTEST_SKIP() << "v2: the group is the leaf, see the test above";
  Bystander stranger({"sleep", "300"});
  ASSERT_TRUE(move_into(group, stranger.pid()));
  deaf.process().stop();
  const nr::Ended ended = deaf.wait();
  EXPECT_EQ(end_signal(ended), SIGKILL);
  EXPECT_TRUE(ended.tree_empty);
  // The group can't be removed: that is said, and tried again.
  EXPECT_TRUE(eventually([&] { return host.shard_stats().groups_left == 1; }));
  EXPECT_TRUE(is_running(stranger.pid()));
  EXPECT_TRUE(std::filesystem::exists(group));
  stranger.kill();
  (void)stranger.wait();
  EXPECT_TRUE(eventually([&] { return host.shard_stats().groups_left == 0; }));
  EXPECT_FALSE(std::filesystem::exists(group));
}

TEST(Teardown, AnUnreapedMemberDoesNotKeepTheGroup) {  // C2
  SKIP_WITHOUT_LIMIT("pids_max");
  EngineFixture host;
  // The middle shell stops itself: nobody reaps what ends below it.
  const std::string script = "sh -c 'sleep 0.01 & sleep 300 & echo below; kill -STOP $$' & wait; sleep 300";
  Running nesting = host.spawn(sh(script).limits({.memory_max = nr::Limits::unlimited, .pids_max = 50})
                                   .ladder(short_ladder));
  ASSERT_EQ(nesting.read_exactly(6), "below\n");
  nesting.process().stop();
  EXPECT_TRUE(nesting.wait().tree_empty);
  EXPECT_TRUE(eventually([] { return own_limit_groups_of_commands().empty(); }, 3s));
}

/// Hands another controller down and takes it back, as a neighbour may: what is in flight then gives EBUSY or ENODEV.
void toggle(const std::string& group, const std::string& controller, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    for (const char sign : {'+', '-'}) std::ofstream(group + "/cgroup.subtree_control") << sign << controller;
    std::this_thread::sleep_for(1ms);
  }
}

TEST(Teardown, ManyAtOnceMeetNoErrorWhateverIsInFlight) {  // C1, C11
  SKIP_WITHOUT_LIMIT("pids_max");
  nr::EngineOptions options;
  options.shards = 2;
  EngineFixture host{options};
  const nr::Limits limits{.memory_max = has_limit("memory_max") ? std::optional<std::uint64_t>(64_MiB) : std::nullopt,
                          .pids_max = 20};
  const nr::Command brief = sh("sleep 300 & sleep 300 & exit 0").limits(limits).drain({.idle = 1ms, .max = 1s});
  (void)host.run(brief);
  const std::vector<std::string> groups = own_limit_groups();
  std::vector<std::jthread> threads;
  const auto top = std::ranges::find_if(groups, [](const std::string& path) {
    std::string offered;
    std::getline(std::ifstream(path + "/cgroup.controllers"), offered);
    return offered.find("hugetlb") != std::string::npos;
  });
  if (top != groups.end()) threads.emplace_back([&](std::stop_token stop) { toggle(*top, "hugetlb", stop); });
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&](const std::stop_token&) {
      for (std::size_t round = 0; round < scaled(1000, 8); ++round) {
        const auto completed = host->run(brief);
        ASSERT_TRUE(completed) << completed.error().message();
        ASSERT_TRUE(completed->ended.tree_empty);
      }
    });
  }
  while (threads.size() > (top != groups.end() ? 1U : 0U)) threads.pop_back();  // Joins it.
  threads.clear();
  EXPECT_TRUE(eventually([] { return own_limit_groups_of_commands().empty(); }, 3s))
      << joined(own_limit_groups_of_commands());
  EXPECT_EQ(host.shard_stats(0).groups_left + host.shard_stats(1).groups_left, 0U);
}

TEST(Teardown, TooLittleMemoryForItsExecIsNamed) {  // C4
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host;
  const auto started = host->run(nr::Command("true").limits({.memory_max = 16_KiB, .swap_max = no_swap()}));
  if (started) {  // It was past the point of no return.
    EXPECT_EQ(started->ended.reason, nr::EndReason::out_of_memory) << nr::name_of(started->ended.reason);
  } else {
    EXPECT_NE(started.error().message().find("memory"), std::string::npos) << started.error().message();
  }
  EXPECT_TRUE(host.run(nr::Command("true")).success());
}

}  // namespace
}  // namespace tests
