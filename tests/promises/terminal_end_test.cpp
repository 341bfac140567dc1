/// How a terminal ends: no byte is lost, EIO is the end only when nobody can write any more, a handle that goes hangs
/// it up. Field reports P1, P2, P7.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/progress.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

nr::Terminal raw() { return {.modes = nr::TerminalModes::raw()}; }
nr::Terminal quiet() { return {.modes = nr::TerminalModes().echo(false)}; }

TEST(TerminalEnd, AMebibyteWrittenBeforeAnExitArrivesWhole) {  // P1
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(1000, 20); ++round) {
    Running burst = host.spawn(child("write_exact", "1048576").terminal(raw()));
    PatternCheck check;
    while (const auto chunk = burst.read()) check.add(chunk->text());
    ASSERT_EQ(check.bytes(), 1 * MiB) << "round " << round;
    ASSERT_TRUE(check.right()) << "round " << round;
    const nr::Ended ended = burst.wait();
    ASSERT_TRUE(ended.success());
    ASSERT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
  }
}

TEST(TerminalEnd, AShortBurstWaitsForAReaderThatComesLongAfterTheExit) {  // P1
  EngineFixture host;
  for (const std::size_t bytes : {3000U, 5000U, 9000U}) {
    Running burst = host.spawn(child("write_exact", std::to_string(bytes)).terminal(raw())
                                   .out(nr::Stdio::terminal().window(1 * KiB)).drain({.idle = 100ms, .max = 100ms}));
    EXPECT_EQ(exit_code(burst.exited()), 0);
    EXPECT_TRUE(remains([&] { return burst.held_bytes() <= 1 * KiB; }));
    EXPECT_TRUE(burst.read_all() == pattern(bytes)) << bytes;
    EXPECT_TRUE(burst.wait().success());
  }
}

TEST(TerminalEnd, LinesOfAFastCommandAreComplete) {  // P1
  EngineFixture host;
  std::string expected;
  for (int n = 1; n <= 50'000; ++n) expected += std::to_string(n) + "\r\n";
  const nr::Command seq = nr::Command("seq", "1", "50000").terminal();
  for (std::size_t round = 0; round < scaled(200, 5); ++round) {
    EXPECT_TRUE(host.run(seq).out.head == expected);
  }
}

TEST(TerminalEnd, WhatWasWrittenBeforeASigkillArrives) {  // P1
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(200, 10); ++round) {
    const nr::Completed completed = host.run(sh("seq 1 2000; kill -9 $$").terminal(raw()));
    EXPECT_EQ(completed.out.total_bytes, 8893U);
    EXPECT_EQ(end_signal(completed.ended), SIGKILL);
  }
}

TEST(TerminalEndCrowd, EchoesAreNeverEmpty) {  // P7
  EngineFixture host;
  const std::size_t count = scaled(100'000, 300);
  std::atomic<std::size_t> right = 0;
  const nr::Command echo = nr::Command("echo", "hoge").terminal();
  crowd(*host, count, 32, [&](std::size_t) -> nr::Task<void> {
    auto completed = co_await host->capture(echo);
    right += completed && completed->out.head == "hoge\r\n" && completed->success();
  });
  EXPECT_EQ(right.load(), count);
}

TEST(TerminalEnd, ASessionThatClosesItAndOpensItAgainIsReadOnAndCostsNothingMeanwhile) {  // P2
  EngineFixture host;
  Running late = host.spawn(sh("exec 0<&- 1>&- 2>&-; sleep 0.5; exec >/dev/tty; echo late").terminal(quiet()));
  const auto completions = [&] { return host.shard_stats(0).completions + host.shard_stats(1).completions; };
  const std::uint64_t before = completions();
  EXPECT_EQ(late.read_exactly(6), "late\r\n");
  EXPECT_LT(completions() - before, 50U);
  EXPECT_EQ(late.read_all(), "");
  const nr::Ended ended = late.wait();
  EXPECT_TRUE(ended.success());
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
}

TEST(TerminalEnd, ATerminalThatIsOpenedTenTimesIsReadTenTimes) {  // P7
  EngineFixture host;
  Running opener = host.spawn(
      sh("exec 0<&- 1>&- 2>&-; for n in 0 1 2 3 4 5 6 7 8 9; do echo $n >/dev/tty; sleep 0.05; done").terminal(raw()));
  EXPECT_EQ(opener.read_all(), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  EXPECT_TRUE(opener.wait().success());
}

TEST(TerminalEnd, ASessionThatHangsItUpAndOpensItAgainIsReadOn) {  // P7, as agetty does
  if (geteuid() != 0) GTEST_SKIP() << "vhangup(2) needs CAP_SYS_TTY_CONFIG";
  EngineFixture host;
  Running getty = host.spawn(python(R"(
import ctypes, os, signal, time
signal.signal(signal.SIGHUP, signal.SIG_IGN)
name = os.ttyname(0)
for round in range(3):
    os.close(0), os.close(1), os.close(2)
    assert ctypes.CDLL(None).vhangup() == 0
    time.sleep(0.1)
    assert [os.open(name, os.O_RDWR), os.dup(0), os.dup(0)] == [0, 1, 2]
    print('login', round, flush=True)
    os.read(0, 1)  # The kernel drops what nobody has read yet when it hangs up.
)").terminal(quiet()));
  for (const char* line : {"login 0\r\n", "login 1\r\n", "login 2\r\n"}) {
    std::string text;
    while (text.find(line) == std::string::npos) {
      const std::string more = getty.read_text();
      ASSERT_NE(more, "") << text;
      text += more;
    }
    getty.write("\n");
  }
  (void)getty.read_all();
  EXPECT_TRUE(getty.wait().success());
}

TEST(TerminalEnd, ALeaderThatForksAwayAndLeavesItEndsIt) {  // P7
  EngineFixture host;
  const Stopwatch watch;
  Running leaving = host.spawn(
      nr::Command("setsid", "sh", "-c", "exec <>/dev/null >&0 2>&0; sleep 1000").terminal());
  EXPECT_EQ(leaving.read_all(), "");
  EXPECT_TRUE(leaving.wait().tree_empty);
  EXPECT_LT(watch.elapsed(), patience(20s));
}

TEST(TerminalEnd, AStragglerThatHoldsItIsHeardWithinTheDrainBudgetAndStopped) {
  EngineFixture host;
  Running leader = host.spawn(sh("trap '' HUP; (while :; do echo straggler; sleep 0.02; done) & echo leader")
                                  .terminal(raw()).drain({.idle = 5s, .max = 300ms}));
  std::string text;
  while (const auto chunk = leader.read()) text += chunk->text();
  EXPECT_NE(text.find("leader\n"), std::string::npos);
  EXPECT_NE(text.find("straggler\n"), std::string::npos);
  const nr::Ended ended = leader.wait();
  EXPECT_EQ(exit_code(ended), 0);
  EXPECT_GE(ended.stragglers, 1U);
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::inherited);
  ASSERT_GE(ended.holders.size(), 1U);
  EXPECT_EQ(ended.holders[0].name, "sh");
  EXPECT_EQ(ended.holders[0].stream, nr::Stream::out);
}

TEST(TerminalEnd, AStragglerThatMayStayIsCutOff) {
  EngineFixture host;
  TempFolder folder;
  Running leader = host.spawn(sh("trap '' HUP; (while echo x; do sleep 0.01; done 2>/dev/null; echo cut >" +
                                 (folder / "report") + ") & echo leader")
                                  .terminal(raw()).drain({.idle = 100ms, .max = 100ms})
                                  .stragglers(nr::Stragglers::leave));
  EXPECT_TRUE(leader.read_all().find("leader\n") != std::string::npos);
  const nr::Ended ended = leader.wait();
  EXPECT_FALSE(ended.tree_empty);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::inherited);
  EXPECT_TRUE(eventually([&] { return file_text(folder / "report") == "cut\n"; })) << "the line is cut: EIO";
}

TEST(TerminalEnd, ADroppedHandleHangsUp) {
  EngineFixture host;
  TempFolder folder;
  {
    const std::string reports = "trap 'echo hung up >" + (folder / "report") + "; exit' HUP; trap '' TERM; ";
    Running shell = host.spawn(sh(reports + "echo ready; while :; do sleep 0.01; done").terminal(quiet()));
    EXPECT_EQ(shell.read_exactly(7), "ready\r\n");
  }
  EXPECT_TRUE(eventually([&] { return file_text(folder / "report") == "hung up\n"; }));
}

TEST(TerminalEnd, ACommandThatIsDeafToTheHangUpIsKilledAllTheSame) {
  EngineFixture host;
  pid_t pid = 0;
  {
    Running deaf = host.spawn(sh("trap '' HUP TERM; echo ready; while :; do sleep 0.01; done").terminal(quiet())
                                  .ladder({{SIGTERM, nr::Target::group, 100ms}}));
    EXPECT_EQ(deaf.read_exactly(7), "ready\r\n");
    pid = deaf.pid();
  }
  EXPECT_TRUE(eventually([&] { return !is_running(pid); }));
}

TEST(TerminalEnd, ClosingTheOutputHangsUp) {
  EngineFixture host;
  Running shell = host.spawn(sh("echo ready; while :; do sleep 0.01; done").terminal(quiet()));
  EXPECT_EQ(shell.read_exactly(7), "ready\r\n");
  shell.close_output();
  const nr::Ended ended = shell.wait();
  EXPECT_EQ(end_signal(ended), SIGHUP);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::abandoned);
}

TEST(TerminalEnd, AReaderThatStopsReadingStopsTheCommand) {
  EngineFixture host;
  const Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).terminal(raw())
                                 .out(nr::Stdio::terminal().window(64 * KiB)));
  EXPECT_TRUE(eventually([&] { return flood.held_bytes() == 64 * KiB; }));
  std::uint64_t seen = 0;
  EXPECT_TRUE(eventually([&] { return std::exchange(seen, progress.bytes()) == progress.bytes(); }));
  const std::uint64_t stands = progress.bytes();
  EXPECT_LE(stands, 64 * KiB + 64 * KiB) << "the window and what the terminal holds";
  EXPECT_TRUE(remains([&] { return progress.bytes() == stands; }));
  PatternCheck check;
  while (check.bytes() < 10 * MiB / 10) check.add(flood.read()->text());
  EXPECT_TRUE(check.right());
}

TEST(TerminalEnd, AWriterWaitsForACommandThatDoesNotRead) {
  EngineFixture host;
  Running deaf = host.spawn(sh("echo ready; read go; exec wc -l").terminal(quiet())
                                .in(nr::Stdio::terminal().window(16 * KiB)));
  EXPECT_EQ(deaf.read_exactly(7), "ready\r\n");
  std::string lines = "go\n";
  while (lines.size() < 1 * MiB) lines += "0123456789\n";
  const std::size_t expected = (lines.size() - 3) / 11;
  {
    // Accepted as far as the window and the terminal go, then it waits.
    Running sleeper = host.spawn(sh("echo ready; sleep 1000").terminal(quiet())
                                     .in(nr::Stdio::terminal().window(16 * KiB)));
    EXPECT_EQ(sleeper.read_exactly(7), "ready\r\n");
    EXPECT_FALSE(nr::blocking::get(sleeper.process().write(lines), nr::Deadline::after(300ms)));
    EXPECT_LE(sleeper.stream_stats(nr::Stream::in).held_bytes, 16 * KiB);
  }
  deaf.write(lines);
  deaf.close_input();
  EXPECT_EQ(deaf.read_all(), std::to_string(expected) + "\r\n");
}

TEST(TerminalEnd, AnOutputLimitStopsOrTruncates) {
  EngineFixture host;
  Running stopped = host.spawn(nr::Command("yes").terminal(raw()).output_limit(10'000));
  EXPECT_EQ(stopped.read_all().size(), 10'000U);
  EXPECT_EQ(stopped.wait().reason, nr::EndReason::output_limit);
  const nr::Completed cut = host.run(
      nr::Command("seq", "1", "50000").terminal(raw()).output_limit(10'000, nr::AtLimit::truncate));
  EXPECT_TRUE(cut.success());
  EXPECT_EQ(cut.out.total_bytes, 10'000U);
  EXPECT_EQ(cut.ended.stream(nr::Stream::out)->dropped_bytes, 278'894U);
  const nr::Completed exact = host.run(nr::Command("echo", "123456789").terminal(raw()).output_limit(10));
  EXPECT_TRUE(exact.success()) << "all of it fits";
}

TEST(TerminalEnd, AShepherdThatDiesEndsIt) {
  EngineFixture host{{.shards = 1}};
  Running shell = host.spawn(sh("echo ready; exec sleep 1000").terminal(raw()));
  EXPECT_EQ(shell.read_exactly(6), "ready\n");
  kill(host.shard_stats().shepherd_pid, SIGKILL);
  EXPECT_EQ(shell.read_all(), "");
  EXPECT_EQ(shell.wait().reason, nr::EndReason::shepherd_lost);
}

}  // namespace
}  // namespace tests
