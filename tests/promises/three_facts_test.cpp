/// Exited, drained and gone are three facts, in this order, each to be had at any time and any number of times.

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

const char* const scripts[] = {"echo a", "exit 3", "sleep 0.2 & echo a", "kill -9 $$", "exec >&- 2>&-; sleep 0.1"};

TEST(ThreeFacts, TheStartHasItsTimesInOrder) {
  EngineFixture host;
  for (const char* script : scripts) {
    const std::int64_t before = nr::Deadline::now_ns();
    const nr::Timeline times = host.run(sh(script)).ended.timeline;
    EXPECT_LE(before, times.queued_ns) << script;
    EXPECT_LE(times.queued_ns, times.spawned_ns) << script;
    EXPECT_LE(times.spawned_ns, times.exec_ns) << script;
    EXPECT_LE(times.exec_ns, times.exited_ns) << script;
    const bool wrote = std::string(script).find("echo") != std::string::npos;
    EXPECT_EQ(times.first_byte_ns != 0, wrote) << script;
    if (!wrote) continue;
    EXPECT_LE(times.spawned_ns, times.first_byte_ns) << script;
    EXPECT_LE(times.first_byte_ns, times.drained_ns) << script;
  }
}

TEST(ThreeFacts, TheEndHasItsTimesInOrder) {
  EngineFixture host;
  for (const char* script : scripts) {
    const nr::Timeline times = host.run(sh(script)).ended.timeline;
    const std::int64_t after = nr::Deadline::now_ns();
    EXPECT_LT(0, times.exited_ns) << script;
    EXPECT_LE(times.exited_ns, times.drained_ns) << script;
    EXPECT_LE(times.drained_ns, times.gone_ns) << script;
    EXPECT_LE(times.gone_ns, after) << script;
  }
}

TEST(ThreeFacts, TheLeadersExitIsKnownWhileADescendantStillWrites) {
  EngineFixture host;
  TempFolder folder;
  Running shell = host.spawn(sh("(while [ ! -e go ]; do sleep 0.02; done; echo late; exec >&- 2>&-; sleep 600) &\n"
                                "exit 5")
                                 .cwd(folder.path())
                                 .drain(nr::Drain::until_end_of_file()));
  EXPECT_EQ(exit_code(shell.exited()), 5);
  const auto too_early = nr::blocking::get(shell.process().drained(), nr::Deadline::after(200ms));
  ASSERT_FALSE(too_early.has_value());
  EXPECT_EQ(too_early.error().code, nr::ErrorCode::timed_out);
  write_file(folder / "go", "");
  EXPECT_EQ(shell.read_all(), "late\n");
  shell.drained();
  const nr::Ended ended = shell.wait();  // The straggler that holds nothing is stopped.
  EXPECT_EQ(exit_code(ended), 5);
  EXPECT_GE(ended.stragglers, 1u);
  EXPECT_GE(ended.timeline.drained_ns - ended.timeline.exited_ns, nr::Nanoseconds(190ms).count());
}

TEST(ThreeFacts, EachMayBeAskedForAgainAlsoAfterTheEndAndFromAnyThread) {
  EngineFixture host;
  Running shell = host.spawn(sh("exit 6"));
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(exit_code(shell.exited()), 6);
    shell.drained();
    EXPECT_EQ(exit_code(shell.wait()), 6);
  }
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < 10; ++n) threads.emplace_back([&] { right += exit_code(shell.wait()) == 6; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 10);
}

TEST(ThreeFacts, ManyMayWaitForTheSameFactBeforeItComes) {
  EngineFixture host;
  TempFolder folder;
  Running shell = host.spawn(sh("while [ ! -e go ]; do sleep 0.02; done; exit 6").cwd(folder.path()));
  std::atomic<int> waiting = 0, right = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < 12; ++n) {
    threads.emplace_back([&, n] {
      ++waiting;
      if (n % 3 == 0) right += exit_code(shell.wait()) == 6;
      if (n % 3 == 1) right += exit_code(shell.exited()) == 6;
      if (n % 3 == 2) {
        shell.drained();
        ++right;
      }
    });
  }
  EXPECT_TRUE(eventually([&] { return waiting == 12; }));
  EXPECT_TRUE(remains([&] { return right == 0; }, 100ms));
  write_file(folder / "go", "");
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 12);
}

TEST(ThreeFacts, TheResultIsStillThereWhenTheEngineIsNot) {
  std::optional<Running> shell;
  {
    EngineFixture host;
    shell.emplace(host.spawn(sh("echo kept; exit 6")));
    EXPECT_EQ(exit_code(shell->wait()), 6);
  }
  EXPECT_EQ(exit_code(shell->wait()), 6);
  const auto signalled = nr::blocking::get(shell->process().signal(SIGTERM), verb_deadline());
  ASSERT_FALSE(signalled.has_value());
}

TEST(ThreeFacts, GoneMeansThatTheKernelHasForgottenTheProcess) {
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(500, 20); ++round) {
    Running command = host.spawn(nr::Command("true"));
    const pid_t pid = command.pid();
    EXPECT_GT(pid, 0);
    const nr::Ended ended = command.wait();
    EXPECT_EQ(ended.pid, pid);
    EXPECT_TRUE(ended.tree_empty);
    EXPECT_TRUE(eventually([&] { return process_state(pid) == '-'; }, 2s)) << process_state(pid);
  }
}

}  // namespace
}  // namespace tests
