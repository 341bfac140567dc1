/// End of output and end of the command are two facts: a pipe that somebody else holds open never holds the caller,
/// and nobody who still writes is cut off. Field reports E1 to E7.

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/bystander.hpp"
#include "tests/support/child.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/transports.hpp"

namespace tests {
namespace {

/// Children of these tests sleep for 600 s and more: whoever waits for one of them is far beyond this.
const nr::Nanoseconds soon = 15s;

std::size_t marked_count() { return processes_with_environment(current_mark()).size(); }
std::size_t sleeps() {
  std::size_t count = 0;
  for (const ProcessEntry& entry : processes_with_environment(current_mark())) count += entry.name == "sleep";
  return count;
}

class EndOfFile : public OverEachTransport {};
INSTANTIATE_OVER_EACH_TRANSPORT(EndOfFile);

TEST_P(EndOfFile, ABackgroundGrandchildDoesNotHoldTheCaller) {  // E1
  EngineFixture host;
  const Stopwatch watch;
  Running shell = host.spawn(sh("sleep 600 & echo row").drain({.idle = 200ms, .max = 5s}));
  EXPECT_EQ(shell.read_all(), "row\n");
  const nr::Ended ended = shell.wait();
  EXPECT_LT(watch.elapsed(), patience(soon));
  EXPECT_TRUE(ended.success()) << nr::to_string(ended.status);
  ASSERT_NE(ended.stream(nr::Stream::out), nullptr);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::inherited);
  EXPECT_EQ(ended.stragglers, 1u);
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_TRUE(eventually([] { return sleeps() == 0; }));
}

TEST_P(EndOfFile, StragglersThatMayStayAreLeftRunningAndCounted) {  // E1
  EngineFixture host;
  Running shell = host.spawn(sh("sleep 600 & echo $!").drain({.idle = 200ms, .max = 5s})
                                 .stragglers(nr::Stragglers::leave));
  const pid_t straggler = std::stoi(shell.read_all());
  const nr::Ended ended = shell.wait();
  EXPECT_TRUE(ended.success());
  EXPECT_EQ(ended.stragglers, 1u);
  EXPECT_TRUE(remains([&] { return is_running(straggler); }));
  kill(straggler, SIGKILL);
}

TEST_P(EndOfFile, AWishToWaitForEndOfFileIsObeyed) {  // E1
  EngineFixture host;
  const Stopwatch watch;
  Running shell = host.spawn(sh("(sleep 1.5; echo late) & echo row").drain(nr::Drain::until_end_of_file()));
  EXPECT_EQ(shell.read_all(), "row\nlate\n");
  EXPECT_GE(watch.elapsed(), 1400ms);
  const nr::Ended ended = shell.wait();
  EXPECT_TRUE(ended.success());
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
}

TEST_P(EndOfFile, AnEscapeeFromTheSessionDoesNotHoldTheCallerAfterTheKill) {  // E2
  EngineFixture host;
  const Stopwatch watch;
  Running shell = host.spawn(sh("setsid sleep 600 & exec sleep 600")
                                 .deadline(patience(1s))
                                 .drain({.idle = 200ms, .max = 1s})
                                 .ladder({{SIGTERM, nr::Target::group, 200ms}}));
  const nr::Ended ended = shell.wait();
  EXPECT_GE(watch.elapsed(), 900ms);
  EXPECT_LT(watch.elapsed(), patience(soon));
  EXPECT_EQ(ended.reason, nr::EndReason::deadline);
  EXPECT_TRUE(eventually([] { return sleeps() == 0; }));
}

TEST_P(EndOfFile, TheBoundIsTheSameForEveryShapeOfShellCommand) {  // E3
  EngineFixture host;
  const std::vector<std::string> scripts = {"sleep 600", "sleep 600; true", "sleep 600 & wait", "(sleep 600)",
                                            "sleep 600 | cat"};
  const Stopwatch watch;
  std::vector<Running> shells;
  for (const char* shell : {"/bin/dash", "/bin/bash"}) {
    for (const std::string& script : scripts) {
      shells.push_back(host.spawn(nr::Command::shell(script, shell)
                                      .deadline(patience(300ms))
                                      .drain({.idle = 100ms, .max = 1s})
                                      .ladder({{SIGTERM, nr::Target::group, 100ms}})));
    }
  }
  for (std::size_t n = 0; n < shells.size(); ++n) {
    EXPECT_EQ(shells[n].read_all(), "");
    EXPECT_EQ(shells[n].wait().reason, nr::EndReason::deadline) << scripts[n % scripts.size()];
  }
  EXPECT_LT(watch.elapsed(), patience(soon));
  EXPECT_TRUE(eventually([] { return marked_count() == 0; }));
}

TEST(EndOfFileCrowd, ForkersElsewhereInTheHostNeverHoldOurPipes) {  // E4
  EngineFixture host;
  std::atomic<bool> over = false;
  std::vector<std::thread> forkers;
  for (int n = 0; n < 4; ++n) {
    forkers.emplace_back([&] {
      std::vector<Bystander> sleepers;
      while (!over) {
        sleepers.emplace_back(std::vector<std::string>{"sleep", "600"});
        if (sleepers.size() == 20) sleepers.clear();
      }
    });
  }
  std::atomic<std::size_t> right = 0;
  const std::size_t count = scaled(5'000, 100);
  crowd(*host, count, 16, [&](std::size_t) -> nr::Task<void> {
    auto completed = co_await host->capture(nr::Command("true"));
    const auto* out = completed ? completed->ended.stream(nr::Stream::out) : nullptr;
    right += out != nullptr && completed->success() && out->end == nr::StreamEnd::file_end;  // Not `inherited`.
  });
  over = true;
  for (std::thread& forker : forkers) forker.join();
  EXPECT_EQ(right.load(), count);
}

TEST_P(EndOfFile, MuchOutputAndAHolderOfThePipeGoTogether) {  // E5
  EngineFixture host;
  const Stopwatch watch;
  Running shell = host.spawn(sh("sleep 600 & head -c 10000000 /dev/zero").drain({.idle = 300ms, .max = 10s}));
  std::uint64_t bytes = 0;
  while (const auto chunk = shell.read()) bytes += chunk->size();
  EXPECT_EQ(bytes, 10'000'000u);
  EXPECT_TRUE(shell.wait().success());
  EXPECT_LT(watch.elapsed(), patience(soon));
}

TEST_P(EndOfFile, ADescendantThatStillWritesIsHeardToItsEnd) {  // E6
  EngineFixture host;
  const nr::Nanoseconds idle = patience(1s);
  const auto lines = static_cast<int>(20 * slowness());  // Twice the idle time in all, a tenth of it between two.
  Running shell = host.spawn(
      sh("(i=0; while [ $i -lt " + std::to_string(lines) + " ]; do echo $i; sleep .1; i=$((i+1)); done) & exit 0")
          .drain({.idle = idle, .max = patience(60s)}));
  std::string expected;
  for (int n = 0; n < lines; ++n) expected += std::to_string(n) + "\n";
  EXPECT_EQ(shell.read_all(), expected);
  const nr::Ended ended = shell.wait();
  EXPECT_TRUE(ended.success());
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
}

TEST_P(EndOfFile, ASilentHolderIsWaitedForAsLongAsTheIdleTimeAndNoLonger) {  // E6
  EngineFixture host;
  Running shell = host.spawn(sh("sleep 600 & exit 0").drain({.idle = 300ms, .max = 600s}));
  const nr::Timeline times = shell.wait().timeline;
  EXPECT_GE(times.drained_ns - times.exited_ns, nr::Nanoseconds(290ms).count());
  EXPECT_LT(times.drained_ns - times.exited_ns, patience(soon).count());
}

TEST_P(EndOfFile, ADescendantThatWritesForEverIsCutAtTheMaximum) {  // E6
  EngineFixture host;
  Running shell =
      host.spawn(sh(child_path("trickle") + " 20 0 x & exit 0").drain({.idle = 600s, .max = 700ms}));
  const std::string text = shell.read_all();
  EXPECT_GT(text.size(), 1u);
  const nr::Ended ended = shell.wait();
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::inherited);
  EXPECT_GE(ended.timeline.drained_ns - ended.timeline.exited_ns, nr::Nanoseconds(690ms).count());
  EXPECT_LT(ended.timeline.drained_ns - ended.timeline.exited_ns, patience(soon).count());
}

TEST_P(EndOfFile, AStragglerThatWritesForEverToNobodyHoldsUpTheEndUpToTheMaximumOnly) {
  EngineFixture host;
  Running shell = host.spawn(sh("yes & echo $! >&2; exit 0").err(nr::Stdio::pipe())
                                 .stragglers(nr::Stragglers::leave)
                                 .drain({.idle = patience(200ms), .max = patience(700ms)}));
  const pid_t straggler = std::stoi(shell.read_text(nr::Stream::err));
  shell.drained();
  const nr::Ended ended = shell.wait();
  EXPECT_GE(ended.timeline.drained_ns - ended.timeline.exited_ns, patience(690ms).count());
  EXPECT_LT(ended.timeline.drained_ns - ended.timeline.exited_ns, patience(soon).count());
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::inherited);
  const std::string text = shell.read_all();
  EXPECT_GT(text.size(), 64 * KiB) << "what was written by then is readable";
  EXPECT_EQ(text.substr(0, 4), "y\ny\n");
  kill(straggler, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !is_running(straggler); }));
}

TEST_P(EndOfFile, AKillDuringTheDrainEndsItAtOnce) {  // E6
  EngineFixture host;
  Running shell = host.spawn(sh("sleep 600 & exit 0").drain({.idle = 600s, .max = 600s}));
  EXPECT_EQ(exit_code(shell.exited()), 0);
  const Stopwatch watch;
  shell.process().kill();
  const nr::Ended ended = shell.wait();
  EXPECT_LT(watch.elapsed(), patience(soon));
  EXPECT_EQ(exit_code(ended), 0) << "the leader had exited by itself before";
  EXPECT_TRUE(eventually([] { return sleeps() == 0; }));
}

TEST_P(EndOfFile, TheDeadlineOfTheCommandBoundsItsDrainToo) {  // E7
  EngineFixture host;
  const Stopwatch watch;
  Running shell = host.spawn(sh("sleep 600 & exit 0").deadline(patience(1s)).drain({.idle = 600s, .max = 600s}));
  EXPECT_EQ(shell.read_all(), "");
  shell.wait();
  EXPECT_LT(watch.elapsed(), patience(soon));
  EXPECT_TRUE(eventually([] { return marked_count() == 0; }));
}

TEST_P(EndOfFile, AStreamThatTheCommandClosesEndsWhileTheCommandRuns) {  // S2, E1
  EngineFixture host;
  Running shell = host.spawn(sh("echo a; exec >&-; read x; exit 4").in(nr::Stdio::pipe()));
  EXPECT_EQ(shell.read_all(), "a\n");
  EXPECT_TRUE(is_running(shell.pid()));
  shell.write("go\n");
  EXPECT_EQ(exit_code(shell.wait()), 4);
}

}  // namespace
}  // namespace tests
