/// Exactly one reaper, outside the host: no SIGCHLD, no zombie, no status lost, no stranger hit. Theme REAP.

#include <atomic>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bystander.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

const nr::Command quiet_sleep = nr::Command("sleep", "1000").out(nr::Stdio::null());

/// Of every shard, in order.
std::vector<pid_t> shepherds(EngineFixture& host) {
  std::vector<pid_t> pids;
  for (const nr::ShardStats& shard : host.get(host->stats()).shards) pids.push_back(shard.shepherd_pid);
  return pids;
}

std::atomic<int> sigchld_count{0};
void count_sigchld(int /*signal*/) { ++sigchld_count; }

TEST(Reaping, AnEndIsAStateThatAnyThreadMayAskForAtAnyTime) {  // N5
  EngineFixture host;
  Running ended = host.spawn(nr::Command::shell("exit 5").out(nr::Stdio::null()));
  ASSERT_TRUE(eventually([&] { return ended.stats().exited; }));
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 10; ++thread) {
    threads.emplace_back([&ended] {
      const nr::Result<nr::Ended> result = nr::blocking::get(ended.process().wait(), verb_deadline());
      ASSERT_TRUE(result) << result.error().message();
      EXPECT_EQ(exit_code(*result), 5);
    });
  }
  threads.clear();
  EXPECT_EQ(exit_code(ended.exited()), 5);
  EXPECT_EQ(exit_code(ended.wait()), 5);
}

TEST(Reaping, ASignalAfterTheEndIsAnsweredAndNotSent) {  // R1
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(3000, 30); ++round) {
    Running short_lived = host.spawn(nr::Command("true").out(nr::Stdio::null()));
    std::jthread signaller([&short_lived] {
      for (;;) {
        const nr::Result<void> sent = nr::blocking::get(short_lived.process().signal(SIGCONT), verb_deadline());
        if (sent) continue;
        EXPECT_EQ(sent.error().code, nr::ErrorCode::already_exited) << sent.error().message();
        return;
      }
    });
    EXPECT_EQ(exit_code(short_lived.wait()), 0);
    signaller.join();
  }
}

TEST(Reaping, TheHostGetsNoSigchldAndKeepsItsHandler) {  // R2
  struct sigaction ours = {}, before = {}, now = {};
  ours.sa_handler = count_sigchld;
  ASSERT_EQ(sigaction(SIGCHLD, &ours, &before), 0);
  {
    EngineFixture host;
    for (int round = 0; round < 50; ++round) EXPECT_EQ(exit_code(host.run(nr::Command::shell("exit 3")).ended), 3);
    EXPECT_EQ(sigaction(SIGCHLD, nullptr, &now), 0);
    EXPECT_TRUE(now.sa_handler == count_sigchld) << "the handler was replaced";
    EXPECT_EQ(sigchld_count.load(), 0);
  }
  sigaction(SIGCHLD, &before, nullptr);
}

TEST(Reaping, CommandsAreNoChildrenOfTheHost) {  // R2
  EngineFixture host;
  const std::vector<pid_t> known = shepherds(host);
  const Running command = host.spawn(quiet_sleep);
  for (const ProcessEntry& child : children_of(getpid())) {
    EXPECT_TRUE(std::find(known.begin(), known.end(), child.pid) != known.end() || child.name != "sleep")
        << child.pid << ' ' << child.name;
  }
  const auto entry = process(command.pid());
  ASSERT_TRUE(entry);
  EXPECT_TRUE(std::find(known.begin(), known.end(), entry->parent) != known.end()) << entry->parent;
}

class ReapingInAnOddHost : public testing::TestWithParam<const char*> {};

TEST_P(ReapingInAnOddHost, EveryStatusComesBackAndTheHostsOwnToo) {  // R2, R7
  EXPECT_TRUE(host_succeeds("sigchld_host", {GetParam()}));
}
INSTANTIATE_TEST_SUITE_P(Sigchld, ReapingInAnOddHost, testing::Values("ignore", "nocldwait", "handler", "waiter"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(Reaping, ALongCommandHoldsUpNoShortOne) {  // R3
  EngineFixture host({.shards = 1});
  const Running long_lived = host.spawn(quiet_sleep);
  for (std::size_t round = 0; round < scaled(1000, 20); ++round) {
    const Stopwatch watch;
    EXPECT_EQ(exit_code(host.run(nr::Command("true")).ended), 0);
    EXPECT_LT(watch.elapsed(), patience(10s));
  }
  EXPECT_TRUE(is_running(long_lived.pid()));
}

TEST(Reaping, ACommandThatSignalsItsGroupHitsOnlyItself) {  // R6
  EngineFixture host;
  const std::vector<pid_t> before = shepherds(host);
  std::vector<Running> others;
  for (int other = 0; other < 10; ++other) others.push_back(host.spawn(quiet_sleep));

  const nr::Ended terminated = host.run(nr::Command::shell("kill -TERM 0; sleep 5")).ended;
  EXPECT_EQ(end_signal(terminated), SIGTERM);
  EXPECT_EQ(terminated.reason, nr::EndReason::signaled);
  EXPECT_EQ(end_signal(host.run(nr::Command::shell("kill -KILL 0; sleep 5")).ended), SIGKILL);

  for (const Running& other : others) EXPECT_TRUE(is_running(other.pid()));
  EXPECT_EQ(shepherds(host), before);
}

TEST(Reaping, ShepherdHostAndCommandsHaveGroupsOfTheirOwn) {  // R6
  EngineFixture host({.shards = 1});
  const Running command = host.spawn(quiet_sleep);
  const auto shepherd = process(shepherds(host).at(0)), started = process(command.pid()), own = process(getpid());
  ASSERT_TRUE(shepherd && started && own);
  EXPECT_EQ(started->group, command.pid());
  EXPECT_NE(shepherd->group, own->group);
  EXPECT_NE(shepherd->session, own->session);
  EXPECT_NE(started->session, own->session);
}

TEST(Reaping, AZombieIsNotAlive) {  // R10
  EngineFixture host;
  // The sleep holds stdout, so the leader stays unreaped: it pins its group's number.
  Running leader = host.spawn(nr::Command::shell("sleep 1000 & exit 0").drain(nr::Drain::until_end_of_file()));
  EXPECT_EQ(exit_code(leader.exited()), 0);
  EXPECT_TRUE(leader.stats().exited);
  EXPECT_FALSE(is_running(leader.pid()));
  const auto sent = nr::blocking::get(leader.process().signal(SIGTERM, nr::Target::leader), verb_deadline());
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, nr::ErrorCode::already_exited);

  const Stopwatch watch;
  leader.process().stop();
  const nr::Ended ended = leader.wait();
  EXPECT_EQ(exit_code(ended), 0);
  EXPECT_EQ(ended.reason, nr::EndReason::exited) << "the first cause stays";
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_LT(watch.elapsed(), patience(15s));
}

TEST(Reaping, AnOrphanIsReapedWhileItsSiblingHoldsThePipes) {  // K12
  EngineFixture host({.shards = 1});
  const nr::Completed left =
      host.run(nr::Command::shell("sleep 1000 & sleep 0.3 & exit 0").stragglers(nr::Stragglers::leave));
  EXPECT_EQ(exit_code(left.ended), 0);
  const pid_t shepherd = shepherds(host).at(0);
  const auto left_sleeps = [] { return processes_with_environment(current_mark()); };
  EXPECT_TRUE(eventually([&] { return processes_with_arguments("sleep 0.3").empty(); }));
  EXPECT_TRUE(eventually([&] { return zombies_of(shepherd).empty(); })) << to_string(zombies_of(shepherd));
  for (const ProcessEntry& entry : left_sleeps()) {
    if (entry.name == "sleep") kill(entry.pid, SIGKILL);
  }
}

TEST(ReapingCrowd, HandlesDroppedAtOnceLeaveNoZombie) {  // R4
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(20'000, 400); ++round) (void)host.spawn(quiet_sleep);
  for (const pid_t shepherd : shepherds(host)) {
    EXPECT_TRUE(eventually([&] { return children_of(shepherd).empty(); })) << to_string(children_of(shepherd));
  }
}

TEST(ReapingCrowd, AStormOfEndsLosesNoStatus) {  // R5
  EngineFixture host;
  for (int round = 0; round < 3; ++round) {
    Captures storm(*host);
    const std::size_t size = scaled(10'000, 200);
    for (std::size_t n = 0; n < size; ++n) {
      storm.start(nr::Command::shell("sleep .0" + std::to_string(n % 10 + 1) + "; exit 12"));
    }
    ASSERT_TRUE(storm.join()) << storm.under_way() << " of " << size << " never ended";
    for (const auto& outcome : storm.outcomes()) {
      ASSERT_TRUE(outcome) << outcome.error().message();
      EXPECT_EQ(exit_code(outcome->ended), 12);
    }
  }
}

TEST(ReapingCrowd, CommandsThatEndAtOnceAreNeverMissed) {  // R8, R9: under load, and faster than anybody looks.
  const BusyCores load;
  EngineFixture host;
  for (int round = 0; round < 5; ++round) {
    Captures shorts(*host);
    for (std::size_t n = 0; n < scaled(2000, 40); ++n) shorts.start(child("instant_exit"));
    ASSERT_TRUE(shorts.join()) << shorts.under_way() << " never ended";
    for (const auto& outcome : shorts.outcomes()) {
      ASSERT_TRUE(outcome) << outcome.error().message();
      EXPECT_EQ(exit_code(outcome->ended), 42);
    }
  }
}

TEST(ReapingCrowd, TheEngineEndsWithHundredsOfCommandsAlive) {  // R5
  EngineFixture host;
  std::vector<Running> alive;
  const std::size_t size = scaled(5000, 100);
  for (std::size_t n = 0; n < size; ++n) alive.push_back(host.spawn(quiet_sleep));
  const Stopwatch watch;
  const nr::CloseReport report = host->close();
  EXPECT_LT(watch.elapsed(), patience(20s));
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.stopped, size);
  for (Running& command : alive) EXPECT_EQ(end_signal(command.wait()), SIGTERM);
}

}  // namespace
}  // namespace tests
