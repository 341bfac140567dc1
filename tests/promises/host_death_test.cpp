/// Whatever becomes of the host, its commands are gone within their ladder: the shepherd sees to it. Promise 1.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <random>
#include <string>
#include <sys/wait.h>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/limit_support.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

const std::string forever = "echo ready; while :; do sleep 0.05; done";
const std::string asleep = "echo ready; exec sleep 1000";
const std::string deaf = "trap '' TERM HUP INT; " + forever;

/// Commands and shepherds of this test: everything that carries its mark, but for the hosts themselves.
std::vector<ProcessEntry> left_running() {
  std::vector<ProcessEntry> left = processes_with_environment(current_mark());
  std::erase_if(left, [](const ProcessEntry& entry) { return entry.parent == getpid(); });
  return left;
}

testing::AssertionResult nothing_is_left() {
  testing::AssertionResult gone = eventually([] { return left_running().empty(); });
  if (!gone) gone << "\n" << to_string(left_running());
  return gone;
}

class HostDeath : public testing::TestWithParam<const char*> {};

TEST_P(HostDeath, LeavesNothing) {  // K12, K18
  for (const std::string& script : {asleep, deaf, "sleep 1000 & sleep 1000 & " + forever}) {
    HostProgram host("doomed_host", {GetParam(), "/dev/null", script, "5"});
    ASSERT_TRUE(host.reports("ready"));
    if (std::string_view(GetParam()) == "wait") host.kill();
    EXPECT_TRUE(nothing_is_left()) << script;
    (void)host.wait();
  }
}
INSTANTIATE_TEST_SUITE_P(Ways, HostDeath,
                         testing::Values("wait", "exit", "abort", "exec", "return", "stop", "detached"),
                         [](const auto& tested) {
                           const std::string way = tested.param;
                           return way == "wait" ? std::string("sigkill") : way;
                         });

/// K18: the ladder lives in the shepherd, and the start of another engine takes nothing from it.
void expect_grace(const std::string& mode, nr::Containment other) {
  const TempFolder folder;
  const std::string cleans_up = "trap 'sleep 0.5; touch \"$0\"; exit' TERM; " + forever;
  HostProgram host("doomed_host", {mode, folder / "cleaned", cleans_up, "1", "TERM:30s"});
  ASSERT_TRUE(host.reports("ready"));
  host.kill();
  (void)host.wait();
  EngineFixture starts({.shards = 1, .containment = other});
  EXPECT_TRUE(starts.run(nr::Command("true").limits({.pids_max = 100}, nr::LimitPolicy::best_effort)).success());
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(folder / "cleaned"); }));
  EXPECT_TRUE(nothing_is_left());
}

TEST(DeadHost, EveryCommandStillGetsItsGrace) { expect_grace("wait", nr::Containment::automatic); }

TEST(DeadHost, ACommandWithALimitGetsItsGraceToo) {
  SKIP_WITHOUT_LIMIT("pids_max");
  expect_grace("limited", nr::Containment::automatic);
  expect_grace("limited", nr::Containment::subreaper);
}

// K10, K18: 1 s after TERM comes SIGKILL. Alone, as the one before.
TEST(DeadHostCrowd, GraceIsNoMoreThanTheLadderSays) {
  HostProgram host("doomed_host", {"wait", "/dev/null", deaf, "3"});
  ASSERT_TRUE(host.reports("ready"));
  const Stopwatch watch;
  host.kill();
  EXPECT_TRUE(nothing_is_left());
  EXPECT_GE(watch.elapsed(), std::chrono::milliseconds(900)) << "no grace at all";
  EXPECT_LT(watch.elapsed(), patience(std::chrono::seconds(6)));
}

TEST(DeadHost, AWriterToAHostThatIsGoneEndsToo) {
  HostProgram host("doomed_host", {"wait", "/dev/null", "echo ready; trap '' TERM PIPE; yes; sleep 1000", "3"});
  ASSERT_TRUE(host.reports("ready"));
  host.kill();
  EXPECT_TRUE(nothing_is_left());
}

TEST(DeadHost, AStoppedHostIsNotADeadOne) {
  HostProgram host("doomed_host", {"wait", "/dev/null", asleep, "2"});
  ASSERT_TRUE(host.reports("ready"));
  // In the middle of exec they have no environment to be known by.
  const auto sleepers = [] { return std::ranges::count(left_running(), "sleep", &ProcessEntry::name); };
  ASSERT_TRUE(eventually([&] { return sleepers() == 2; }));
  const std::size_t before = left_running().size();
  host.kill(SIGSTOP);
  EXPECT_TRUE(remains([&] { return left_running().size() == before; }));
  host.kill();
  EXPECT_TRUE(nothing_is_left());
}

TEST(DeadHost, AtAnyMomentOfAStormOfStartsLeavesNothing) {  // K9
  std::mt19937 random(20);
  for (std::size_t round = 0; round < scaled(100, 4); ++round) {
    HostProgram host("doomed_host", {"busy", "/dev/null", asleep});
    ASSERT_TRUE(host.reports("ready"));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 150'000));  // The moment, not a synchronisation.
    host.kill();
    EXPECT_TRUE(nothing_is_left());
  }
}

TEST(DeadHostCrowd, ManyHostsOneAfterAnotherLeaveNothing) {  // K12
  for (std::size_t round = 0; round < scaled(500, 10); ++round) {
    HostProgram host("doomed_host", {"wait", "/dev/null", asleep});
    ASSERT_TRUE(host.reports("ready"));
    host.kill();
    (void)host.wait();
  }
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace tests
