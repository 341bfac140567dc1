/// Limits of a whole command: memory, processes, CPU; and that what ran out is said, and proved. C2, C3, C4, C7, C8.

#include <csignal>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/captures.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/limit_support.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"

namespace tests {
namespace {

const nr::KillLadder at_once = nr::KillLadder::at_once();

/// With each level that can be had: limits are carried the same way under all of them.
class Limits : public testing::TestWithParam<nr::Containment> {
 protected:
  void SetUp() override { SKIP_WITHOUT_CONTAINMENT(GetParam()); }
  void TearDown() override {
    EXPECT_TRUE(eventually([] { return own_limit_groups().empty(); }, 3s)) << joined(own_limit_groups());
  }
  [[nodiscard]] static nr::EngineOptions options() { return options_of(GetParam()); }
};

INSTANTIATE_TEST_SUITE_P(Levels, Limits,
                         testing::Values(nr::Containment::cgroup, nr::Containment::subreaper,
                                         nr::Containment::pid_namespace),
                         [](const auto& info) { return test_name_of(info.param); });

TEST_P(Limits, MemoryThatIsUsedUpEndsTheCommandAndIsTheReason) {  // C4
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host{options()};
  const nr::Command eater = child("eat_memory", "300").limits({.memory_max = 20_MiB, .swap_max = no_swap()});
  for (std::size_t n = 0; n < scaled(500, 5); ++n) {
    const nr::Ended ended = host.run(eater).ended;
    ASSERT_EQ(ended.reason, nr::EndReason::out_of_memory) << nr::name_of(ended.reason);
    ASSERT_EQ(end_signal(ended), SIGKILL);
    ASSERT_GE(ended.oom_kills, 1U);
    EXPECT_TRUE(ended.memory_limit_met);
    EXPECT_FALSE(ended.success());
    EXPECT_TRUE(ended.signals.empty());
  }
}

TEST_P(Limits, AMemberThatRanOutOfMemoryIsCountedThoughTheLeaderLives) {  // C4
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host{options()};
  const std::string eater = child("eat_memory").spec().program;
  const nr::Completed completed =
      host.run(sh(eater + " 300; echo survived").limits({.memory_max = 20_MiB, .swap_max = no_swap()}));
  EXPECT_EQ(completed.ended.reason, nr::EndReason::exited);
  EXPECT_EQ(exit_code(completed.ended), 0);
  EXPECT_EQ(completed.out.text(), "survived\n");
  EXPECT_EQ(completed.ended.oom_kills, 1U);
}

TEST_P(Limits, ASigkillOfSomebodyElseIsNoOutOfMemory) {  // C4
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host{options()};
  const nr::Ended ended = host.run(sh("kill -9 $$").limits({.memory_max = 64_MiB})).ended;
  EXPECT_EQ(ended.reason, nr::EndReason::signaled);
  EXPECT_EQ(end_signal(ended), SIGKILL);
  EXPECT_EQ(ended.oom_kills, 0U);
}

TEST_P(Limits, ProcessesAreBoundedAndTheBombIsSpent) {
  SKIP_WITHOUT_LIMIT("pids_max");
  EngineFixture host{options()};
  Running bomb = host.spawn(child("fork_many", "100").in(nr::Stdio::pipe()).limits({.pids_max = 10}));
  EXPECT_EQ(bomb.read_exactly(9), "9 of 100\n");
  const nr::ProcessStats now = bomb.stats();
  EXPECT_EQ(now.processes, 10U);
  bomb.process().stop(at_once);
  const nr::Ended ended = bomb.wait();
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_EQ(ended.usage.pids_peak.value_or(10U), 10U);  // Linux 6.1 has it.
}

TEST_P(Limits, ALimitIsInForceBeforeTheFirstInstruction) {  // C3
  SKIP_WITHOUT_LIMIT("pids_max");
  EngineFixture host{options()};
  const pid_t shepherd = host.shard_stats().shepherd_pid;
  const std::string before = proc_file(shepherd, "cgroup");
  for (std::size_t n = 0; n < scaled(300, 20); ++n) {
    const nr::Completed completed =
        host.run(nr::Command("cat", "/proc/self/cgroup").limits({.memory_max = 64_MiB, .pids_max = 5}));
    for (const char* controller : {"memory", "pids"}) {
      EXPECT_NE(group_in(completed.out.text(), controller).find("/netrunner-"), std::string::npos)
          << controller << "\n" << completed.out.text();
    }
    ASSERT_EQ(proc_file(shepherd, "cgroup"), before) << "the shepherd was moved";
  }
}

TEST_P(Limits, CpuTimeIsTheSumOfTheWholeTree) {
  SKIP_WITHOUT_LIMIT("cpu_time");
  EngineFixture host{options()};
  const nr::Ended ended =
      host.run(child("burn_cpu", "3").limits({.cpu_time = 300ms}).ladder(at_once).deadline(patience(60s))).ended;
  EXPECT_EQ(ended.reason, nr::EndReason::cpu_time) << nr::name_of(ended.reason);
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_EQ(ended.usage.scope, nr::UsageScope::tree);
  EXPECT_GE(ended.usage.user_us + ended.usage.system_us, 290'000U);
}

TEST_P(Limits, CpuTimeThatIsNotUsedUpEndsNothing) {
  SKIP_WITHOUT_LIMIT("cpu_time");
  EngineFixture host{options()};
  const nr::Ended ended = host.run(child("burn_cpu", "1", "50").limits({.cpu_time = 60s})).ended;
  EXPECT_EQ(ended.reason, nr::EndReason::exited);
  // A group of v1 is charged at ticks of the kernel's: what its last process ran since then may be missing.
  EXPECT_GE(ended.usage.user_us + ended.usage.system_us, 25'000U);
}

TEST_P(Limits, AQuotaHoldsTheCommandBack) {
  SKIP_WITHOUT_LIMIT("cpu_quota");
  EngineFixture host{options()};
  const nr::Command burner = child("burn_cpu", "2").deadline(1s).ladder(at_once);
  const nr::Ended ended = host.run(burner.limits({.cpu_quota = 0.1, .cpu_time = 1h})).ended;
  EXPECT_EQ(ended.reason, nr::EndReason::deadline);
  const double lived_s = static_cast<double>(ended.timeline.exited_ns - ended.timeline.exec_ns) / 1e9;
  const double used_s = static_cast<double>(ended.usage.user_us + ended.usage.system_us) / 1e6;
  EXPECT_LE(used_s, lived_s * 0.1 + 0.15) << lived_s;  // One period's worth more at either end.
  EXPECT_GT(used_s, 0.0);
}

TEST_P(Limits, NothingOfOneRunShowsInTheNext) {  // C7
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host{options()};
  const nr::Limits limits{.memory_max = 200_MiB, .cpu_time = 1h};
  const nr::Ended large = host.run(child("eat_memory", "50").limits(limits)).ended;
  const nr::Ended busy = host.run(child("burn_cpu", "1", "200").limits(limits)).ended;
  const nr::Ended small = host.run(nr::Command("true").limits(limits)).ended;
  EXPECT_GE(large.usage.memory_peak_bytes.value_or(0), 50_MiB);
  EXPECT_LT(small.usage.memory_peak_bytes.value_or(UINT64_MAX), 20_MiB);
  EXPECT_GE(busy.usage.user_us + busy.usage.system_us, 150'000U);
  EXPECT_LT(small.usage.user_us + small.usage.system_us, busy.usage.user_us + busy.usage.system_us);
}

TEST_P(Limits, OnesThatWereNotAskedForAreNone) {  // C7
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host{options()};
  Running limited = host.spawn(nr::Command("sleep", "300").limits({.memory_max = 77_MiB}).ladder(at_once));
  EXPECT_EQ(limits_now(limited).memory_max, 77_MiB);
  Running other = host.spawn(nr::Command("sleep", "300").limits({.memory_max = nr::Limits::unlimited}).ladder(at_once));
  EXPECT_EQ(limits_now(other).memory_max, nr::Limits::unlimited);
  Running plain = host.spawn(nr::Command("sleep", "300").ladder(at_once));
  EXPECT_TRUE(limits_now(plain).empty());
}

TEST_P(Limits, NoGroupIsLeftWhateverTheLimitAndTheEnd) {  // C8
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host{options()};
  const std::vector<nr::Limits> each = {{.memory_max = 64_MiB}, {.pids_max = 20}, {.cpu_quota = 1.0},
                                        {.cpu_time = 10s}, {.memory_max = 64_MiB, .pids_max = 20, .cpu_quota = 1.0}};
  for (const nr::Limits& limits : each) {
    if (!limits_can_be_had(limits)) continue;
    for (std::size_t n = 0; n < scaled(50, 3); ++n) {
      (void)host.run(nr::Command("true").limits(limits));
      (void)host->run(nr::Command("/no/such/program").limits(limits));
      (void)host->run(sh("sleep 300").limits(limits).deadline(5ms).ladder(at_once));
      (void)host.run(sh("kill -9 $$").limits(limits));
      { const Running dropped = host.spawn(nr::Command("sleep", "300").limits(limits).ladder(at_once)); }
    }
  }
  EXPECT_TRUE(eventually([] { return own_limit_groups_of_commands().empty(); }, 3s))
      << joined(own_limit_groups_of_commands());
  EXPECT_EQ(host.shard_stats().groups_left, 0U);
  EXPECT_TRUE(host->close().complete);
  EXPECT_TRUE(eventually([] { return own_limit_groups().empty(); }, 3s)) << joined(own_limit_groups());
}

TEST_P(Limits, AShepherdThatIsKilledLeavesNoGroup) {  // C8
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host{options()};
  for (int n = 0; n < 2; ++n) {
    Running command = host.spawn(nr::Command("sleep", "300").limits({.memory_max = 64_MiB, .pids_max = 5}));
    kill(host.shard_stats().shepherd_pid, SIGKILL);
    EXPECT_EQ(command.wait().reason, nr::EndReason::shepherd_lost);
    EXPECT_TRUE(eventually([&] { return host->run(nr::Command("true").limits({.pids_max = 5})).has_value(); }));
  }
  EXPECT_TRUE(eventually([] { return own_limit_groups_of_commands().empty(); }, 3s));
  EXPECT_TRUE(eventually([&] { return host.shard_stats().groups_left == 0; }));
}

TEST_P(Limits, WhatWasAskedForIsInTheResult) {
  SKIP_WITHOUT_LIMIT("pids_max");
  EngineFixture host{options()};
  const nr::Ended ended = host.run(nr::Command("true").limits({.pids_max = 7, .cpu_time = 5s})).ended;
  ASSERT_EQ(ended.limits.size(), 2U);
  EXPECT_EQ(ended.limits[0].limit, "pids_max");
  EXPECT_EQ(ended.limits[0].value, "7");
  EXPECT_TRUE(ended.limits[0].applied()) << ended.limits[0].why_not;
  EXPECT_TRUE(ended.limits[0].by.starts_with("cgroup v")) << ended.limits[0].by;
  EXPECT_EQ(ended.limits[1].by, "shepherd");
}

TEST(LimitsOfAPoorHost, ACommandThatFoundNoDescriptorForItsGroupsHarmsNoLaterOne) {
  SKIP_WITHOUT_LIMIT("memory_max");
  SKIP_WITHOUT_LIMIT("pids_max");
  EXPECT_TRUE(host_succeeds("poor_host", {"limits"}));
}

}  // namespace
}  // namespace tests
