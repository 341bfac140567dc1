/// Limits of a command that runs: read back, changed, and refused by name.

#include <csignal>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/contained.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/limit_support.hpp"

namespace tests {
namespace {

const nr::KillLadder at_once = nr::KillLadder::at_once();

nr::Result<std::vector<nr::LimitOutcome>> set(Running& command, const nr::Limits& limits,
                                              nr::LimitPolicy policy = nr::LimitPolicy::required) {
  return nr::blocking::get(command.process().set_limits(limits, policy), verb_deadline());
}

TEST(LiveLimits, AreReadBackFromTheKernel) {
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host;
  const nr::Limits wanted{.memory_max = 96_MiB, .pids_max = 12, .cpu_quota = 0.5, .cpu_weight = 50};
  Running sleeper = host.spawn(nr::Command("sleep", "300").limits(wanted).ladder(at_once));
  const nr::Limits now = limits_now(sleeper);
  EXPECT_EQ(now.memory_max, wanted.memory_max);
  EXPECT_EQ(now.pids_max, wanted.pids_max);
  EXPECT_EQ(now.cpu_quota, wanted.cpu_quota);
  EXPECT_EQ(now.cpu_weight, wanted.cpu_weight);
}

TEST(LiveLimits, ACpusetIsWhereTheCommandRuns) {
  SKIP_WITHOUT_LIMIT("cpuset_cpus");
  EngineFixture host;
  const nr::Command allowed("grep", "Cpus_allowed_list", "/proc/self/status");
  const nr::Completed completed = host.run(allowed.limits({.cpuset_cpus = {0}}));
  EXPECT_EQ(completed.out.text(), "Cpus_allowed_list:\t0\n");
}

TEST(LiveLimits, AreChangedWhileItRuns) {
  SKIP_WITHOUT_LIMIT("pids_max");
  EngineFixture host;
  const std::string script = "while read -r line; do (true) && echo yes || echo no; done 2>/dev/null";
  Running shell = host.spawn(sh(script).in(nr::Stdio::pipe()).limits({.pids_max = 1}).ladder(at_once));
  // A shell that can't fork says so, and may end: what counts is that a larger limit lets it.
  EXPECT_EQ(limits_now(shell).pids_max, 1U);
  value_of(set(shell, {.pids_max = 20}));
  EXPECT_EQ(limits_now(shell).pids_max, 20U);
  shell.write("try\n");
  EXPECT_EQ(shell.read_exactly(4), "yes\n");
}

TEST(LiveLimits, LoweringMemoryBelowWhatIsInUseTellsOfIt) {
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host;
  Running eater = host.spawn(
      child("eat_memory", "60", "hold").limits({.memory_max = 200_MiB, .swap_max = no_swap()}).ladder(at_once));
  EXPECT_EQ(eater.read_exactly(7), "ate 60\n");
  EXPECT_GE(eater.stats().memory_bytes.value_or(0), 60_MiB);
  // v1 refuses what can't be reclaimed; v2 takes it, and the OOM killer comes. Neither blocks anybody else.
  const auto lowered = set(eater, {.memory_max = 20_MiB, .swap_max = no_swap()});
  if (lowered) {
    const nr::Ended ended = eater.wait();
    EXPECT_EQ(ended.reason, nr::EndReason::out_of_memory) << nr::name_of(ended.reason);
  } else {
    EXPECT_TRUE(lowered.error().code == nr::ErrorCode::limit_unavailable ||
                lowered.error().code == nr::ErrorCode::already_exited)
        << lowered.error().message();
  }
}

TEST(LiveLimits, CpuTimeIsShortened) {
  SKIP_WITHOUT_LIMIT("cpu_time");
  EngineFixture host;
  Running burner = host.spawn(child("burn_cpu", "1").limits({.cpu_time = 1h}).ladder(at_once).deadline(patience(60s)));
  value_of(set(burner, {.cpu_time = 50ms}));
  EXPECT_EQ(burner.wait().reason, nr::EndReason::cpu_time);
}

TEST(LiveLimits, OfAControllerThatItHasNoGroupOfAreRefusedByName) {
  SKIP_WITHOUT_LIMIT("pids_max");
  EngineFixture host;
  Running plain = host.spawn(nr::Command("sleep", "300").ladder(at_once));
  const auto refused = set(plain, {.pids_max = 3});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, nr::ErrorCode::limit_unavailable);
  EXPECT_EQ(refused.error().subject, "pids_max");
  const auto tolerated = value_of(set(plain, {.pids_max = 3}, nr::LimitPolicy::best_effort));
  ASSERT_EQ(tolerated.size(), 1U);
  EXPECT_FALSE(tolerated[0].applied());
  EXPECT_NE(tolerated[0].why_not.find("started without a group"), std::string::npos) << tolerated[0].why_not;
}

TEST(LiveLimits, OfACommandThatHasEndedAreRefused) {
  SKIP_WITHOUT_LIMIT("pids_max");
  EngineFixture host;
  Running done = host.spawn(nr::Command("true").limits({.pids_max = 5}));
  (void)done.wait();
  const auto refused = set(done, {.pids_max = 3});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, nr::ErrorCode::already_exited);
}

TEST(LiveLimits, AChangeThatIsGivenUpLeavesTheCommandAlone) {
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host;
  Running sleeper = host.spawn(nr::Command("sleep", "300").limits({.memory_max = 64_MiB}).ladder(at_once));
  for (std::uint64_t n = 1; n <= scaled(200, 20); ++n) {
    (void)nr::blocking::get(sleeper.process().set_limits({.memory_max = (64 + n) * MiB}),
                            nr::Deadline::after(n % 2 == 0 ? 20us : 1ms));
  }
  EXPECT_GE(limits_now(sleeper).memory_max.value_or(0), 64_MiB);
  EXPECT_FALSE(sleeper.stats().exited);
}

}  // namespace
}  // namespace tests
