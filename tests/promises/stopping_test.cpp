/// The ladder: each rung to whom it says, when it says, until nothing is left. Theme KILL, by process group.

#include <csignal>
#include <filesystem>
#include <stop_token>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

nr::KillLadder term_then_kill(nr::Nanoseconds pause) { return {{SIGTERM, nr::Target::group, pause}}; }

std::vector<int> signals_of(const nr::Ended& ended) {
  std::vector<int> numbers;
  for (const nr::SignalSent& sent : ended.signals) numbers.push_back(sent.signal);
  return numbers;
}

/// Starts a script that says "ready\n" once its traps are set.
Running ready(EngineFixture& host, const nr::Command& command) {
  Running running = host.spawn(command);
  EXPECT_EQ(running.read_exactly(6), "ready\n");
  return running;
}
const std::string forever = "while :; do sleep 0.05; done";
const std::string deaf_script = "trap '' TERM INT HUP; echo ready; " + forever;
// A helper in the group, which leaves the file $0 when it gets TERM. It is up when the script goes on.
const std::string helper_script = "(trap 'touch \"$0\"; exit' TERM; : >\"$0.up\"; " + forever +
                                  ") & helper=$!; while [ ! -e \"$0.up\" ]; do sleep 0.01; done; ";

class StoppingAShell : public testing::TestWithParam<const char*> {};

TEST_P(StoppingAShell, OneTermEndsTheShellAndWhatItStarted) {  // K3, E3
  EngineFixture host;
  Running shell = ready(host, nr::Command::shell("echo ready; " + std::string(GetParam())).ladder(term_then_kill(60s)));
  const Stopwatch watch;
  shell.process().stop();
  const nr::Ended ended = shell.wait();
  EXPECT_LT(watch.elapsed(), patience(20s));
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
  EXPECT_EQ(signals_of(ended), std::vector<int>{SIGTERM});
  EXPECT_TRUE(ended.tree_empty);
}
INSTANTIATE_TEST_SUITE_P(Shapes, StoppingAShell,
                         testing::Values("sleep 1000", "sleep 1000; :", "sleep 1000 & wait", "(sleep 1000)",
                                         "sleep 1000 | cat"),
                         [](const auto& tested) { return "Shape" + std::to_string(tested.index); });

TEST(Stopping, KillFollowsTermAfterThePauseAndNotBefore) {  // K10
  EngineFixture host;
  Running deaf = ready(host, sh(deaf_script).ladder(term_then_kill(400ms)));
  deaf.process().stop();
  const nr::Ended ended = deaf.wait();
  EXPECT_EQ(end_signal(ended), SIGKILL);
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
  ASSERT_EQ(signals_of(ended), (std::vector<int>{SIGTERM, SIGKILL}));
  EXPECT_EQ(ended.signals[0].target, nr::Target::group);
  EXPECT_EQ(ended.signals[1].target, nr::Target::everything);
  const nr::Nanoseconds pause{ended.signals[1].at_ns - ended.signals[0].at_ns};
  EXPECT_GE(pause, 390ms);
  EXPECT_LT(pause, patience(5s));
  EXPECT_GE(ended.timeline.exited_ns, ended.signals[1].at_ns);
}

TEST(Stopping, WhoNeedsItsGraceGetsIt) {  // K8, K10
  EngineFixture host;
  Running careful = ready(host, sh("trap 'sleep 0.7; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
                                    .ladder(term_then_kill(60s)));
  careful.process().stop();
  const nr::Ended ended = careful.wait();
  EXPECT_EQ(exit_code(ended), 0);
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
  EXPECT_FALSE(ended.success()) << "stopped is no success, whatever its code";
  EXPECT_EQ(signals_of(ended), std::vector<int>{SIGTERM});
}

TEST(Stopping, ASecondStopShortens) {  // K8
  EngineFixture host;
  Running deaf = ready(host, sh(deaf_script).ladder(term_then_kill(600s)));
  deaf.process().stop();
  deaf.process().kill();
  const Stopwatch watch;
  EXPECT_EQ(end_signal(deaf.wait()), SIGKILL);
  EXPECT_LT(watch.elapsed(), patience(20s));
}

TEST(Stopping, ASecondStopNeverLengthens) {  // K8
  EngineFixture host;
  Running deaf = ready(host, sh(deaf_script).ladder(term_then_kill(500ms)));
  deaf.process().stop();
  deaf.process().stop(term_then_kill(600s));
  deaf.process().stop(term_then_kill(600s));
  const Stopwatch watch;
  EXPECT_EQ(end_signal(deaf.wait()), SIGKILL);
  EXPECT_LT(watch.elapsed(), patience(30s));
}

TEST(Stopping, ARungToTheLeaderSparesItsHelpers) {  // K11
  EngineFixture host;
  const TempFolder folder;
  const std::string script = helper_script + "trap 'kill -0 $helper && exit 7' TERM; echo ready; " + forever;
  const nr::Command command = nr::Command("/bin/sh", "-c", script, folder / "told").stragglers(nr::Stragglers::leave);
  const nr::KillLadder leader_first{{SIGTERM, nr::Target::leader, 60s}};
  Running leader = ready(host, command.ladder(leader_first).drain({.idle = 100ms, .max = 200ms}));
  const pid_t group = leader.pid();
  leader.process().stop();
  EXPECT_EQ(exit_code(leader.exited()), 7);
  EXPECT_FALSE(std::filesystem::exists(folder / "told")) << "the helper got TERM before the leader's end";
  (void)leader.wait();
  kill(-group, SIGKILL);  // What the policy `leave` may have left.
}

TEST(Stopping, TheDefaultLadderTellsTheWholeGroup) {  // K11
  EngineFixture host;
  const TempFolder folder;
  const std::string script = helper_script + "trap 'wait; exit 7' TERM; echo ready; " + forever;
  Running leader = ready(host, nr::Command("/bin/sh", "-c", script, folder / "told").ladder(term_then_kill(60s)));
  leader.process().stop();
  EXPECT_EQ(exit_code(leader.wait()), 7);
  EXPECT_TRUE(std::filesystem::exists(folder / "told"));
}

TEST(Stopping, AStoppedProcessIsStoppedToo) {
  EngineFixture host;
  Running frozen = ready(host, sh("echo ready; kill -STOP $$; sleep 1000").ladder(term_then_kill(300ms)));
  ASSERT_TRUE(eventually([&] { return process_state(frozen.pid()) == 'T'; }));
  frozen.process().stop();
  const nr::Ended ended = frozen.wait();
  EXPECT_NE(end_signal(ended), 0);
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
}

TEST(Stopping, AStopAfterTheEndChangesNothing) {
  EngineFixture host;
  Running ended = host.spawn(nr::Command::shell("exit 3").out(nr::Stdio::null()));
  EXPECT_EQ(exit_code(ended.wait()), 3);
  ended.process().stop();
  ended.process().kill();
  const nr::Ended again = ended.wait();
  EXPECT_EQ(exit_code(again), 3);
  EXPECT_EQ(again.reason, nr::EndReason::exited);
  EXPECT_TRUE(again.signals.empty());
}

TEST(Stopping, AStopRightAfterTheEndOfInputIsSeen) {  // K13
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(3000, 50); ++round) {
    Running sleeper = host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe()).out(nr::Stdio::null()));
    sleeper.close_input();
    sleeper.process().kill();
    EXPECT_EQ(end_signal(sleeper.wait()), SIGKILL);
  }
}

TEST(Stopping, SignalsGoToWhomTheyAreAddressed) {
  EngineFixture host;
  Running shell = ready(host, sh("trap 'echo leader' USR1; (trap 'echo helper' USR1; echo ready; "
                                 "while :; do sleep 0.05; done) & while :; do sleep 0.05; done"));
  value_of(nr::blocking::get(shell.process().signal(SIGUSR1, nr::Target::leader), verb_deadline()));
  EXPECT_EQ(shell.read_exactly(7), "leader\n");
  shell.process().kill();
  const nr::Ended ended = shell.wait();
  ASSERT_FALSE(ended.signals.empty());
  EXPECT_EQ(ended.signals[0].signal, SIGUSR1);
  EXPECT_EQ(ended.signals[0].target, nr::Target::leader);
  EXPECT_EQ(ended.signals[0].sys_errno, 0);
}

TEST(Stopping, AnImpossibleSignalIsAnError) {
  EngineFixture host;
  Running sleeper = host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null()));
  for (const int number : {-1, 65, 4711}) {
    const nr::Result<void> sent = nr::blocking::get(sleeper.process().signal(number), verb_deadline());
    ASSERT_FALSE(sent) << number;
    EXPECT_EQ(sent.error().code, nr::ErrorCode::invalid_argument) << sent.error().message();
  }
  EXPECT_TRUE(is_running(sleeper.pid()));
}

TEST(Stopping, ItsOwnSignalIsNoStop) {  // G3
  EngineFixture host;
  const nr::Ended aborted = host.run(nr::Command::shell("kill -ABRT $$").resource_limit({RLIMIT_CORE, 0, 0})).ended;
  ASSERT_TRUE(std::holds_alternative<nr::Signaled>(aborted.status));  // K14
  EXPECT_EQ(std::get<nr::Signaled>(aborted.status), (nr::Signaled{.signal = SIGABRT, .core_dumped = false}));
  EXPECT_EQ(aborted.reason, nr::EndReason::signaled);
}

TEST(Stopping, ADroppedHandleIsAStop) {  // K12
  EngineFixture host;
  pid_t pid = 0;
  const Stopwatch watch;
  {
    const Running dropped = host.spawn(nr::Command("sleep", "1000"));
    pid = dropped.pid();
  }
  EXPECT_LT(watch.elapsed(), patience(10s)) << "a destructor must not wait";
  EXPECT_TRUE(eventually([&] { return process_state(pid) == '-'; }));
}

TEST(Stopping, ADetachedCommandOutlivesItsHandle) {  // K12
  EngineFixture host;
  Running owned = host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null()).deadline(patience(200ms)));
  const pid_t pid = owned.pid();
  owned.take().detach();
  EXPECT_TRUE(remains([&] { return is_running(pid); }, patience(200ms) + 400ms)) << "its deadline ends with its handle";
  const nr::CloseReport report = host->close();
  EXPECT_EQ(report.detached, 1U);
  EXPECT_FALSE(is_running(pid));
}

TEST(Stragglers, AreStoppedAndCounted) {  // E1
  EngineFixture host;
  const Stopwatch watch;
  const nr::Completed completed = host.run(nr::Command::shell("sleep 1000 & sleep 1000 & echo row; exit 0"));
  EXPECT_LT(watch.elapsed(), patience(20s));
  EXPECT_EQ(exit_code(completed.ended), 0);
  EXPECT_EQ(completed.ended.reason, nr::EndReason::exited);
  EXPECT_EQ(completed.out.head, "row\n");
  EXPECT_EQ(completed.ended.stragglers, 2U);
  EXPECT_TRUE(completed.ended.tree_empty);
}

TEST(Stragglers, ThatIgnoreTermAreKilled) {
  EngineFixture host;
  const nr::Completed completed = host.run(
      sh("(trap '' TERM; while :; do sleep 0.05; done) & exit 4").ladder(term_then_kill(200ms)));
  EXPECT_EQ(exit_code(completed.ended), 4);
  EXPECT_GE(completed.ended.stragglers, 1U);
  EXPECT_TRUE(completed.ended.tree_empty);
}

TEST(Stragglers, AreLeftWhereTheCommandSaysSo) {  // K12
  EngineFixture host;
  const nr::Completed completed = host.run(
      sh("sleep 1000 >/dev/null 2>&1 & echo $!").stragglers(nr::Stragglers::leave));
  const pid_t left = std::stoi(completed.out.head);
  EXPECT_EQ(exit_code(completed.ended), 0);
  EXPECT_EQ(completed.ended.stragglers, 1U);
  EXPECT_FALSE(completed.ended.tree_empty);
  EXPECT_TRUE(remains([&] { return is_running(left); }));
  kill(left, SIGKILL);
}

TEST(Stragglers, OfNobodyAreNone) {
  EngineFixture host;
  const nr::Ended ended = host.run(nr::Command("true")).ended;
  EXPECT_EQ(ended.stragglers, 0U);
  EXPECT_TRUE(ended.tree_empty);
}

TEST(StopToken, TriggeredBeforeTheStartNothingStarts) {
  EngineFixture host;
  const TempFolder folder;
  std::stop_source source;
  source.request_stop();
  const auto started = nr::blocking::get(host->spawn(nr::Command("touch", folder / "ran"), source.get_token()),
                                         verb_deadline());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, nr::ErrorCode::cancelled);
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

TEST(StopToken, TriggeredAfterTheStartTheLadderRuns) {
  EngineFixture host;
  std::stop_source source;
  Running sleeper(value_of(nr::blocking::get(
      host->spawn(nr::Command("sleep", "1000").out(nr::Stdio::null()), source.get_token()), verb_deadline())));
  source.request_stop();
  const nr::Ended ended = sleeper.wait();
  EXPECT_EQ(end_signal(ended), SIGTERM);
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
}

TEST(StopToken, TriggeredAtAnyMomentLeavesNothing) {  // K16, U3
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(3000, 50); ++round) {
    std::stop_source source;
    Captures one(*host);
    std::jthread trigger([&source, round] {
      std::this_thread::sleep_for(std::chrono::microseconds(round * 37 % 3000));
      source.request_stop();
    });
    one.start(nr::Command("sleep", "1000"), source.get_token());
    trigger.join();
    ASSERT_TRUE(one.join());
    const auto& outcome = one.outcomes().front();
    if (outcome) {
      EXPECT_EQ(outcome->ended.reason, nr::EndReason::stopped);
    } else {
      EXPECT_EQ(outcome.error().code, nr::ErrorCode::cancelled) << outcome.error().message();
    }
  }
}

TEST(StopToken, OutlivesTheCommandHarmlessly) {
  EngineFixture host;
  std::stop_source source;
  {
    Running ended(value_of(nr::blocking::get(host->spawn(nr::Command("true"), source.get_token()), verb_deadline())));
    EXPECT_EQ(exit_code(ended.wait()), 0);
  }
  source.request_stop();
  EXPECT_EQ(exit_code(host.run(nr::Command("true")).ended), 0);
}

TEST(StoppingCrowd, AKillRightAfterTheStartHitsTheCommandAndNobodyElse) {  // K16
  EngineFixture host;
  const std::vector<nr::ShardStats> before = host.get(host->stats()).shards;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&host] {
      for (std::size_t round = 0; round < scaled(2500, 40); ++round) {
        Running sleeper = host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null()));
        sleeper.process().kill();
        EXPECT_EQ(end_signal(sleeper.wait()), SIGKILL);
        EXPECT_EQ(refusal(host, nr::Command("/no/such/program")).code, nr::ErrorCode::not_found);
      }
    });
  }
  threads.clear();
  const std::vector<nr::ShardStats> after = host.get(host->stats()).shards;
  for (std::size_t shard = 0; shard < before.size(); ++shard) {
    EXPECT_EQ(after[shard].shepherd_pid, before[shard].shepherd_pid);
  }
}

TEST(Stopping, NobodyWhoGotItsNumberIsHit) {  // R1, K1: 400 process ids, a canary that takes each that comes free.
  EXPECT_TRUE(host_succeeds("small_pid_space_host"));
}

TEST(Stopping, WhatMayNotBeKilledIsSaidInTime) {  // K6
  EXPECT_TRUE(host_succeeds("unprivileged_host", {"setuid"}));
}

}  // namespace
}  // namespace tests
