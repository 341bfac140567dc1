/// Deadlines end processes and not just the waiting; they are 64-bit and monotonic. Theme TIME.

#include <csignal>
#include <string>
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

namespace tests {
namespace {

const nr::Command sleeper = nr::Command("sleep", "1000").out(nr::Stdio::null());

/// Commands of this test that are alive; the shepherds carry the mark too and don't count.
std::size_t sleeps_alive() {
  std::size_t alive = 0;
  for (const ProcessEntry& entry : processes_with_environment(current_mark())) alive += entry.name == "sleep";
  return alive;
}

TEST(CommandDeadline, EndsTheProcessAndNotJustTheWaiting) {  // T5
  EngineFixture host;
  for (int round = 0; round < 10; ++round) {
    const Stopwatch watch;
    const nr::Ended ended = host.run(nr::Command::shell("sleep 1000; :").deadline(patience(50ms))).ended;
    EXPECT_EQ(ended.reason, nr::EndReason::deadline);
    EXPECT_EQ(end_signal(ended), SIGTERM);
    EXPECT_TRUE(ended.tree_empty);
    EXPECT_GE(watch.elapsed(), 50ms);
    EXPECT_LT(watch.elapsed(), patience(10s));
    EXPECT_EQ(sleeps_alive(), 0U);
  }
}

TEST(CommandDeadline, ManyTogetherLeaveNothing) {  // T5
  EngineFixture host;
  Captures many(*host);
  for (int n = 0; n < 100; ++n) many.start(sleeper.deadline(std::chrono::milliseconds(n)));
  ASSERT_TRUE(many.join());
  for (const auto& outcome : many.outcomes()) {
    EXPECT_TRUE(ended_or_failed(outcome, nr::EndReason::deadline, nr::ErrorCode::timed_out)) << to_string(outcome);
  }
  EXPECT_EQ(sleeps_alive(), 0U);
}

TEST(CommandDeadline, TheLadderRunsAfterIt) {  // K10: ignores TERM; the deadline, then the grace, then SIGKILL.
  EngineFixture host;
  const nr::Ended ended = host.run(sh("trap '' TERM; while :; do sleep 0.05; done")
                                       .deadline(patience(300ms))
                                       .ladder({{SIGTERM, nr::Target::group, 400ms}}))
                              .ended;
  EXPECT_EQ(end_signal(ended), SIGKILL);
  EXPECT_EQ(ended.reason, nr::EndReason::deadline);
  ASSERT_EQ(ended.signals.size(), 2U);
  const nr::Nanoseconds to_term{ended.signals[0].at_ns - ended.timeline.queued_ns};
  const nr::Nanoseconds to_kill{ended.signals[1].at_ns - ended.signals[0].at_ns};
  EXPECT_GE(to_term, 295ms);
  EXPECT_LT(to_term, patience(5s));
  EXPECT_GE(to_kill, 390ms);
  EXPECT_LT(to_kill, patience(5s));
}

TEST(CommandDeadline, ACommandInTimeIsNotTouched) {
  EngineFixture host;
  const nr::Ended ended = host.run(nr::Command::shell("exit 6").deadline(600s)).ended;
  EXPECT_EQ(exit_code(ended), 6);
  EXPECT_EQ(ended.reason, nr::EndReason::exited);
  EXPECT_TRUE(ended.signals.empty());
}

TEST(CommandDeadline, AThousandYearsAreNotShort) {  // T2
  EngineFixture host;
  for (const nr::Nanoseconds after : {nr::Nanoseconds(25 * 24h), nr::Nanoseconds(50 * 24h),
                                      nr::saturated(365'250 * 24h), nr::Nanoseconds(2147483648ms),
                                      nr::Nanoseconds(4294967296ms),
                                      nr::Nanoseconds::max() - 1ns, nr::Nanoseconds::max()}) {
    const nr::Command nap = nr::Command("sleep", "0.1").deadline(after).idle_limit(after);
    EXPECT_TRUE(host.run(nap).success()) << after.count() << " ns";
  }
}

TEST(CommandDeadline, ZeroEndsItAtOnce) {  // T2
  EngineFixture host;
  const Stopwatch watch;
  const nr::Result<nr::Completed> outcome = host->run(sleeper.deadline(0s));
  EXPECT_TRUE(ended_or_failed(outcome, nr::EndReason::deadline, nr::ErrorCode::timed_out)) << to_string(outcome);
  EXPECT_LT(watch.elapsed(), patience(10s));
}

TEST(CommandDeadline, OutputBeforeItIsKept) {
  EngineFixture host;
  const nr::Completed completed = host.run(nr::Command::shell("echo before; exec sleep 1000").deadline(patience(2s)));
  EXPECT_EQ(completed.ended.reason, nr::EndReason::deadline);
  EXPECT_EQ(completed.out.head, "before\n");
}

TEST(CommandDeadline, TheFirstCauseIsTheReason) {
  EngineFixture host;
  Running both = host.spawn(sh("trap '' TERM; echo ready; while :; do sleep 0.05; done")
                                .deadline(patience(2s))
                                .ladder({{SIGTERM, nr::Target::group, patience(2500ms)}}));
  EXPECT_EQ(both.read_exactly(6), "ready\n");
  both.process().stop();  // The deadline passes while this ladder is under way.
  EXPECT_EQ(both.wait().reason, nr::EndReason::stopped);
}

TEST(CommandDeadline, TheWallClockHasNoSay) {  // T3
  EXPECT_TRUE(host_succeeds("jumping_clock_host"));
}

TEST(WaitDeadline, OnlyEndsTheWaiting) {  // T5: clearly another thing.
  EngineFixture host;
  Running running = host.spawn(sleeper);
  const Stopwatch watch;
  const nr::Result<nr::Ended> waited = nr::blocking::wait(running.process(), nr::Deadline::after(100ms));
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().code, nr::ErrorCode::timed_out);
  EXPECT_GE(watch.elapsed(), 100ms);
  EXPECT_LT(watch.elapsed(), patience(10s));
  EXPECT_TRUE(remains([&] { return is_running(running.pid()); }));
  running.process().stop();
  EXPECT_EQ(running.wait().reason, nr::EndReason::stopped);
}

TEST(WaitDeadline, ThatHasPassedReturnsAtOnce) {
  EngineFixture host;
  Running running = host.spawn(sleeper);
  for (int round = 0; round < 100; ++round) {
    const auto waited = nr::blocking::wait(running.process(), nr::Deadline::at(1));
    ASSERT_FALSE(waited);
    EXPECT_EQ(waited.error().code, nr::ErrorCode::timed_out);
  }
}

TEST(WaitDeadline, OfAReadLosesNoByte) {  // U2
  EngineFixture host;
  Running late = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  const auto nothing = nr::blocking::read(late.process(), nr::Stream::out, nr::Deadline::after(50ms));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, nr::ErrorCode::timed_out);
  late.write("kept");
  EXPECT_EQ(late.read_exactly(4), "kept");
}

TEST(IdleLimit, SilenceAloneIsNoReasonToDie) {  // T4
  EngineFixture host;
  EXPECT_TRUE(host.run(nr::Command("sleep", "1.5")).success());
}

TEST(IdleLimit, EndsWhoFallsSilent) {  // T4
  EngineFixture host;
  const nr::Completed completed = host.run(nr::Command::shell("echo a; exec sleep 1000").idle_limit(patience(1500ms)));
  EXPECT_EQ(completed.out.head, "a\n");
  EXPECT_EQ(completed.ended.reason, nr::EndReason::idle);
  ASSERT_FALSE(completed.ended.signals.empty());
  const nr::Nanoseconds silent{completed.ended.signals[0].at_ns - completed.ended.timeline.first_byte_ns};
  EXPECT_GE(silent, 1450ms);
  EXPECT_LT(silent, patience(12s));
}

TEST(IdleLimit, SparesWhoTalks) {  // T4
  EngineFixture host;
  const nr::Completed completed =
      host.run(sh("i=0; while [ $i -lt 30 ]; do echo $i; sleep 0.1; i=$((i+1)); done").idle_limit(patience(2s)));
  EXPECT_TRUE(completed.success()) << nr::name_of(completed.ended.reason);
}

TEST(IdleLimit, StderrCountsAsTalking) {
  EngineFixture host;
  const nr::Completed completed =
      host.run(sh("i=0; while [ $i -lt 30 ]; do echo $i >&2; sleep 0.1; i=$((i+1)); done").idle_limit(patience(2s)));
  EXPECT_TRUE(completed.success()) << nr::name_of(completed.ended.reason);
}

TEST(Timeline, IsInTheOrderOfALife) {
  EngineFixture host;
  const std::int64_t before = nr::Deadline::now_ns();
  const nr::Timeline life = host.run(nr::Command("echo", "x")).ended.timeline;
  EXPECT_GE(life.queued_ns, before);
  EXPECT_LE(life.queued_ns, life.spawned_ns);
  EXPECT_LE(life.spawned_ns, life.exec_ns);
  EXPECT_LE(life.exec_ns, life.exited_ns);
  EXPECT_LE(life.exited_ns, life.gone_ns);
  EXPECT_GE(life.first_byte_ns, life.exec_ns);
  EXPECT_GE(life.drained_ns, life.first_byte_ns);
  EXPECT_LE(std::max(life.gone_ns, life.drained_ns), nr::Deadline::now_ns());
}

}  // namespace
}  // namespace tests
