/// A process that outlives SIGKILL gives a bounded answer that names it, and is watched until it has gone. A frozen one
/// of the cgroup v1 freezer is such: it dies when it is thawed (Documentation/admin-guide/cgroup-v1/freezer-subsystem).

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <unistd.h>
#include <variant>

#include <gtest/gtest.h>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/freezer.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/write_lease.hpp"

namespace tests {
namespace {

const nr::EngineOptions one_shard = {.shards = 1};
const nr::Command sleeper = nr::Command("sleep", "1000").out(nr::Stdio::null());

void expect_named(const nr::Ended& ended) {
  EXPECT_TRUE(std::holds_alternative<nr::Unknown>(ended.status)) << nr::to_string(ended.status);
  EXPECT_NE(ended.unkillable.find("outlives SIGKILL"), std::string::npos) << ended.unkillable;
  EXPECT_FALSE(ended.tree_empty);
}

class Unkillable : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_FREEZER(freezer); }
  EngineFixture host{one_shard};
  const Freezer freezer;
};

TEST_F(Unkillable, GivesABoundedAnswerThatNamesItAndIsWatchedUntilItHasGone) {
  Running frozen = host.spawn(sleeper);
  ASSERT_TRUE(freezer.freeze(frozen.pid()));
  const Stopwatch watch;
  frozen.process().kill();
  expect_named(frozen.wait());
  EXPECT_LT(watch.elapsed(), patience(15s));
  EXPECT_EQ(host.shard_stats().quarantined, 1U);
  EXPECT_TRUE(is_running(frozen.pid()));
  freezer.thaw();
  EXPECT_TRUE(eventually([&] { return host.shard_stats().quarantined == 0; }));
  EXPECT_FALSE(is_running(frozen.pid()));
}

TEST_F(Unkillable, WhoeverWaitsForItsExitIsAnsweredAsWell) {
  Running frozen = host.spawn(sleeper);
  ASSERT_TRUE(freezer.freeze(frozen.pid()));
  std::optional<nr::ExitStatus> status;
  std::thread waiter([&] {
    auto exited = nr::blocking::get(frozen.process().exited(), nr::Deadline::after(patience(15s)));
    if (exited) status = *exited;
  });
  EXPECT_TRUE(remains([&] { return !frozen.stats().exited; }));  // It waits by now.
  frozen.process().kill();
  waiter.join();
  ASSERT_TRUE(status) << "exited() is left waiting";
  EXPECT_TRUE(std::holds_alternative<nr::Unknown>(*status)) << nr::to_string(*status);
  expect_named(frozen.wait());
}

/// The file system doesn't answer its exec, or as here: it is frozen there.
TEST_F(Unkillable, AStartThatHangsInExecFailsBoundedAndIsWatchedUntilItHasGone) {
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  if (host.shard_stats().spawn_path != nr::SpawnPath::asynchronous) GTEST_SKIP() << "exec suspends the shepherd here";
  std::stop_source source;
  auto start = std::async(std::launch::async, [&] {
    const nr::Command hanging = nr::Command(lease.program()).ladder(nr::KillLadder::at_once());
    return nr::blocking::get(host->spawn(hanging, source.get_token()), nr::Deadline::after(patience(15s)));
  });
  const auto started = [&] { return children_of(host.shard_stats().shepherd_pid); };
  ASSERT_TRUE(eventually([&] { return started().size() == 1; }));
  const pid_t pid = started().front().pid;
  ASSERT_TRUE(freezer.freeze(pid));
  source.request_stop();
  const nr::Result<nr::Process> process = start.get();
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, nr::ErrorCode::cancelled);
  EXPECT_TRUE(says(process.error(), "outlives SIGKILL"));
  EXPECT_EQ(host.shard_stats().running, 0U);
  EXPECT_EQ(host.shard_stats().quarantined, 1U);
  EXPECT_TRUE(host.run(nr::Command("true")).success());
  lease.release();
  freezer.thaw();
  EXPECT_TRUE(eventually([&] { return host.shard_stats().quarantined == 0; }));
  EXPECT_FALSE(is_running(pid));
}

TEST_F(Unkillable, OfALostShepherdItIsToldAsWell) {
  Running frozen = host.spawn(sleeper);
  ASSERT_TRUE(freezer.freeze(frozen.pid()));
  const Stopwatch watch;
  ASSERT_EQ(kill(host.shard_stats().shepherd_pid, SIGKILL), 0);
  const nr::Ended ended = frozen.wait();
  EXPECT_EQ(ended.reason, nr::EndReason::shepherd_lost);
  expect_named(ended);
  EXPECT_LT(watch.elapsed(), patience(15s));
  EXPECT_TRUE(eventually([&] { return host->run(nr::Command("true")).has_value(); })) << "it holds up the next";
  freezer.thaw();
  EXPECT_TRUE(eventually([&] { return !is_running(frozen.pid()); }));
}

// The end of its output is no news of the others, and the next shepherd knows nothing of them.
TEST_F(Unkillable, AStragglerOfALostShepherdIsToldThoughTheOutputHasEnded) {
  Running shell = host.spawn(sh("setsid sleep 1000 >&- 2>&- & echo $!; sleep 1000 2>&- & echo $!; exec sleep 1000"));
  std::string said;
  while (std::ranges::count(said, '\n') < 2) said += shell.read_text();
  pid_t straggler = -1, holder = -1;
  ASSERT_EQ(std::sscanf(said.c_str(), "%d %d", &straggler, &holder), 2);
  ASSERT_TRUE(freezer.freeze(straggler));
  ASSERT_EQ(kill(host.shard_stats().shepherd_pid, SIGKILL), 0);
  const nr::Ended ended = shell.wait();
  EXPECT_EQ(ended.reason, nr::EndReason::shepherd_lost);
  EXPECT_FALSE(ended.tree_empty) << "it lives";
  EXPECT_NE(ended.timeline.exited_ns, 0);
  freezer.thaw();
  kill(straggler, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !is_running(straggler); }));
}

TEST_F(Unkillable, ItsSlotIsFreeAgainWhenTheShepherdThatWatchedItIsLost) {
  Running frozen = host.spawn(sleeper);
  const pid_t pid = frozen.pid();
  ASSERT_TRUE(freezer.freeze(pid));
  frozen.process().kill();
  expect_named(frozen.wait());
  EXPECT_EQ(host.shard_stats().quarantined, 1U);
  ASSERT_EQ(kill(host.shard_stats().shepherd_pid, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return host.shard_stats().quarantined == 0; }));
  EXPECT_TRUE(eventually([&] { return host->run(nr::Command("true")).has_value(); }));
  freezer.thaw();
  EXPECT_TRUE(eventually([&] { return !is_running(pid); }));
}

TEST_F(Unkillable, ALostShepherdsCommandThatTakesSecondsToDieEndsWithAnEmptyTree) {
  Running frozen = host.spawn(sleeper);
  ASSERT_TRUE(freezer.freeze(frozen.pid()));
  ASSERT_EQ(kill(host.shard_stats().shepherd_pid, SIGKILL), 0);
  EXPECT_TRUE(remains([&] { return is_running(frozen.pid()); }, 2s));
  freezer.thaw();
  const nr::Ended ended = frozen.wait();
  EXPECT_EQ(ended.reason, nr::EndReason::shepherd_lost);
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_EQ(ended.unkillable, "");
}

TEST(UnkillableAtClose, ASignalThatAFrozenShepherdNeverSendsIsAnsweredWhenTheEngineCloses) {
  EngineFixture host{{.shards = 1, .close_max = 100ms}};
  const Freezer freezer;
  SKIP_WITHOUT_FREEZER(freezer);
  Running running = host.spawn(sleeper);
  ASSERT_TRUE(freezer.freeze(host.shard_stats().shepherd_pid));
  std::atomic<bool> answered = false;
  nr::start_detached([](nr::Process& process, std::atomic<bool>& over) -> nr::Task<void> {
    const auto sent = co_await process.signal(SIGUSR1);
    over = !sent && sent.error().code == nr::ErrorCode::engine_closed;
  }(running.process(), answered));
  std::thread closer([&] { EXPECT_FALSE(host->close().complete); });
  EXPECT_TRUE(eventually([&] { return answered.load(); }));
  freezer.thaw();
  closer.join();
}

TEST(UnkillableAtClose, ACloseWaitsNoLongerForItAndSaysSo) {
  for (const nr::Containment level : {nr::Containment::subreaper, nr::Containment::automatic}) {
    EngineFixture host{{.shards = 1, .containment = level}};
    const Freezer freezer;
    SKIP_WITHOUT_FREEZER(freezer);
    Running frozen = host.spawn(sleeper);
    ASSERT_TRUE(freezer.freeze(frozen.pid()));
    frozen.process().kill();
    expect_named(frozen.wait());
    const Stopwatch watch;
    EXPECT_FALSE(host->close().complete);
    EXPECT_LT(watch.elapsed(), patience(4s));
  }
}

}  // namespace
}  // namespace tests
