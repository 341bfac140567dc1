/// Starting costs the same whatever the host is, and a start that hangs holds up only itself. Theme SPAWN.

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <pwd.h>
#include <sched.h>
#include <sstream>
#include <stop_token>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/freezer.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/write_lease.hpp"

#define SKIP_WITHOUT_ASYNCHRONOUS_SPAWN(host)                                     \
  if ((host).shard_stats().spawn_path != nr::SpawnPath::asynchronous) GTEST_SKIP() \
      << "no clone(2) with CLONE_VM is allowed here: exec suspends the shepherd"

namespace tests {
namespace {

const nr::EngineOptions one_shard = {.shards = 1};
const nr::Command sleeper = nr::Command("sleep", "1000").out(nr::Stdio::null());

/// The best of many: what a start costs when nobody disturbs it.
nr::Nanoseconds best_start(EngineFixture& host) {
  nr::Nanoseconds best = nr::Nanoseconds::max();
  for (int round = 0; round < 60; ++round) {
    const nr::Timeline life = host.run(child("instant_exit", "0")).ended.timeline;
    best = std::min(best, nr::Nanoseconds(life.exec_ns - life.queued_ns));
  }
  return best;
}

/// Memory of the host, touched.
class Ballast {
 public:
  explicit Ballast(std::size_t bytes)
      : bytes_(bytes), memory_(mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ != MAP_FAILED) std::memset(memory_, 1, bytes_);
  }
  Ballast(const Ballast&) = delete;
  Ballast& operator=(const Ballast&) = delete;
  ~Ballast() { munmap(memory_, bytes_); }

 private:
  std::size_t bytes_;
  void* memory_;
};

TEST(Spawning, ABigHostDoesNotShow) {  // W1
  EngineFixture small{one_shard};
  const nr::Nanoseconds before = best_start(small);
  const Ballast ballast(1 * GiB);
  EngineFixture big{one_shard};
  EXPECT_LT(best_start(big), before * 4 + 2ms);
  EXPECT_LT(best_start(small), before * 4 + 2ms);
  const nr::Ended ended = big.run(nr::Command("true")).ended;
  EXPECT_GT(ended.usage.max_rss_kib, 100U);
  EXPECT_LT(ended.usage.max_rss_kib, 4U * 1024) << "the host's memory, or the shepherd's, shows in the command's";
  // Started on a copy of the shepherd's memory, that is copied.
  const nr::Ended scored = big.run(nr::Command("true").oom_score_adj(500)).ended;
  EXPECT_LT(scored.usage.max_rss_kib, 4U * 1024);
}

TEST(Spawning, UsageIsTheCommandsOwn) {
  EngineFixture host;
  const nr::Usage idle = host.run(nr::Command("true")).ended.usage;
  EXPECT_LT(idle.user_us + idle.system_us, 500'000U);
  const nr::Usage busy = host.run(python("x=bytearray(100<<20)\nfor i in range(5000000): pass")).ended.usage;
  EXPECT_GT(busy.max_rss_kib, 100U * 1024);
  EXPECT_GT(busy.user_us, 20'000U);
}

TEST(Spawning, AStartThatHangsInExecHoldsUpOnlyItself) {  // W8
  EngineFixture host{one_shard};
  SKIP_WITHOUT_ASYNCHRONOUS_SPAWN(host);
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  Captures slow(*host);
  slow.start(nr::Command(lease.program()));
  for (std::size_t round = 0; round < scaled(1000, 30); ++round) {
    const Stopwatch watch;
    EXPECT_TRUE(host.run(nr::Command("true")).success());
    EXPECT_LT(watch.elapsed(), patience(5s));
  }
  EXPECT_EQ(slow.under_way(), 1U);
  lease.release();
  ASSERT_TRUE(slow.join());
  ASSERT_TRUE(slow.outcomes().front());
  EXPECT_TRUE(slow.outcomes().front()->success());
}

TEST(Spawning, ManyThatHangInExecStillLeaveRoom) {  // W8
  EngineFixture host{one_shard};
  SKIP_WITHOUT_ASYNCHRONOUS_SPAWN(host);
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  Captures slow(*host);
  for (int n = 0; n < 64; ++n) slow.start(nr::Command(lease.program()));
  ASSERT_TRUE(eventually([&] { return children_of(host.shard_stats().shepherd_pid).size() == 64; }));
  for (int round = 0; round < 10; ++round) {
    const Stopwatch watch;
    EXPECT_TRUE(host.run(nr::Command("true")).success());
    EXPECT_LT(watch.elapsed(), patience(5s));
  }
  lease.release();
  ASSERT_TRUE(slow.join());
  for (const auto& outcome : slow.outcomes()) EXPECT_TRUE(outcome && outcome->success());
}

TEST(Spawning, ADeadlineCountsFromTheRequestAndReachesIntoExec) {  // W8
  EngineFixture host{one_shard};
  SKIP_WITHOUT_ASYNCHRONOUS_SPAWN(host);
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  const Stopwatch watch;
  const nr::Result<nr::Completed> late = host->run(nr::Command(lease.program()).deadline(500ms));
  EXPECT_GE(watch.elapsed(), 490ms);
  EXPECT_LT(watch.elapsed(), patience(15s));
  EXPECT_TRUE(ended_or_failed(late, nr::EndReason::deadline, nr::ErrorCode::timed_out)) << to_string(late);
  EXPECT_TRUE(eventually([&] { return children_of(host.shard_stats().shepherd_pid).empty(); }));
}

TEST(Spawning, AStopReachesIntoExec) {  // W8
  EngineFixture host{one_shard};
  SKIP_WITHOUT_ASYNCHRONOUS_SPAWN(host);
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  std::stop_source source;
  Captures slow(*host);
  slow.start(nr::Command(lease.program()), source.get_token());
  ASSERT_TRUE(eventually([&] { return children_of(host.shard_stats().shepherd_pid).size() == 1; }));
  source.request_stop();
  ASSERT_TRUE(slow.join(nr::Deadline::after(patience(15s)))) << "the stop waits for exec";
  const nr::Result<nr::Completed>& outcome = slow.outcomes().front();
  EXPECT_TRUE(ended_or_failed(outcome, nr::EndReason::stopped, nr::ErrorCode::cancelled)) << to_string(outcome);
  EXPECT_TRUE(eventually([&] { return children_of(host.shard_stats().shepherd_pid).empty(); }));
}

TEST(Spawning, AWithdrawnStartLeavesNothing) {  // W8, U3
  EngineFixture host{one_shard};
  SKIP_WITHOUT_ASYNCHRONOUS_SPAWN(host);
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  const auto process = nr::blocking::get(host->spawn(nr::Command(lease.program())), nr::Deadline::after(300ms));
  ASSERT_FALSE(process);
  EXPECT_EQ(process.error().code, nr::ErrorCode::timed_out);
  EXPECT_TRUE(eventually([&] { return children_of(host.shard_stats().shepherd_pid).empty(); }));
  lease.release();
  EXPECT_EQ(host.shard_stats().running, 0U);
}

TEST(Spawning, ClosingReachesIntoExec) {  // W8
  EngineFixture host{one_shard};
  SKIP_WITHOUT_ASYNCHRONOUS_SPAWN(host);
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  Captures slow(*host);
  slow.start(nr::Command(lease.program()));
  ASSERT_TRUE(eventually([&] { return children_of(host.shard_stats().shepherd_pid).size() == 1; }));
  const Stopwatch watch;
  EXPECT_TRUE(host->close().complete);
  EXPECT_LT(watch.elapsed(), patience(25s));
  EXPECT_TRUE(slow.join());
}

/// Of this process, by field 41 of proc_pid_stat(5).
std::size_t threads_with_policy(int policy) {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::istringstream fields(file_text(task.path() / "stat"));
    std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
    count += words.size() > 40 && words[40] == std::to_string(policy);
  }
  return count;
}

TEST(Spawning, ACommandHasTheHostsSchedulingPolicyWhateverTheShardsIs) {
  const nr::Command shows = sh("cut -d' ' -f41 /proc/self/stat");
  const auto expect = [&](int policy, std::size_t others_are_batch) {
    const sched_param none{};
    ASSERT_EQ(sched_setscheduler(0, policy, &none), 0);
    EngineFixture host{{.shards = 1}};
    const std::string said = std::to_string(policy) + "\n";
    EXPECT_EQ(threads_with_policy(SCHED_BATCH), others_are_batch);
    EXPECT_EQ(host.run(shows).out.head, said);
    kill(host.shard_stats().shepherd_pid, SIGKILL);  // The next is the shard's to start.
    EXPECT_TRUE(eventually([&] {
      const auto shown = host->run(shows);
      return shown && shown->out.head == said;
    }));
  };
  utsname system{};
  const bool gives_way = uname(&system) == 0 && strverscmp(system.release, "6.6") >= 0;
  std::thread(expect, SCHED_OTHER, gives_way ? 1 : 0).join();
  std::thread(expect, SCHED_BATCH, 2).join();
}

TEST(Spawning, OnTheOlderPathEverythingIsTheSame) {
  EngineFixture host({.shards = 1, .asynchronous_spawn = false});
  EXPECT_EQ(host.shard_stats().spawn_path, nr::SpawnPath::vfork);
  EXPECT_EQ(host.run(nr::Command("echo", "x")).out.head, "x\n");
  EXPECT_TRUE(is(refusal(host, nr::Command("/no/such/program")), nr::Stage::exec, ENOENT, "/no/such/program"));
  EXPECT_TRUE(is(refusal(host, nr::Command("true").cwd("/no/such")), nr::Stage::cwd, ENOENT, "/no/such"));
  EXPECT_EQ(host.run(sleeper.deadline(patience(100ms))).ended.reason, nr::EndReason::deadline);
}

TEST(Spawning, AFrozenCommandHoldsUpNobody) {  // W3
  EngineFixture host{one_shard};
  const Freezer freezer;
  SKIP_WITHOUT_FREEZER(freezer);
  Running frozen = host.spawn(sleeper);
  ASSERT_TRUE(freezer.freeze(frozen.pid()));
  frozen.process().kill();
  for (int round = 0; round < 30; ++round) EXPECT_TRUE(host.run(nr::Command("true")).success());
  freezer.thaw();
  EXPECT_EQ(end_signal(frozen.wait()), SIGKILL);
}

class SpawningUnderAFilter : public testing::TestWithParam<const char*> {};

TEST_P(SpawningUnderAFilter, FallsBackToTheOlderCalls) {  // W6, W9
  for (const char* answer : {"EPERM", "ENOSYS"}) {
    EXPECT_TRUE(host_succeeds("filtered_host", {"works", answer, GetParam()})) << answer;
  }
}
INSTANTIATE_TEST_SUITE_P(Calls, SpawningUnderAFilter,
                         testing::Values("clone3", "pidfd_open", "pidfd_send_signal", "close_range", "waitid_pidfd",
                                         "openat2", "memfd_create"),
                         [](const auto& tested) { return std::string(tested.param); });

// A group can be made, and nobody can be born in it: commands live outside, and are found by their marks.
TEST(SpawningFiltered, ADeadShepherdTakesThoseThatLeftACommand) {
  EXPECT_TRUE(host_succeeds("filtered_host", {"contains", "ENOSYS", "clone3"}));
}

TEST(SpawningFiltered, ADeadHostAndItsShepherdTakeThemToo) {
  HostProgram doomed("filtered_host", {"waits", "ENOSYS", "clone3"});
  ASSERT_TRUE(doomed.reports("ready"));
  const std::vector<pid_t> escapees = doomed.reported("escapee"), shepherds = doomed.reported("shepherd");
  ASSERT_EQ(std::pair(escapees.size(), shepherds.size()), std::pair(1UZ, 1UZ));
  ASSERT_GT(std::min(escapees.front(), shepherds.front()), 1);
  kill(shepherds.front(), SIGKILL);
  doomed.kill();
  EXPECT_TRUE(eventually([&] { return !is_running(escapees.front()); }));
}

TEST(Spawning, ALimitOfProcessesIsNamedAndHarmsNobody) {  // W5
  EXPECT_TRUE(host_succeeds("poor_host", {"nproc"}));
}

TEST(SpawningCrowd, FromAHostWhoseThreadsHoldEveryLock) {  // W4
  EngineFixture host;
  std::atomic<bool> over{false};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&over] {
      while (!over) {
        free(malloc(64));
        passwd entry = {};
        passwd* found = nullptr;
        char buffer[4096];
        getpwnam_r("root", &entry, buffer, sizeof buffer, &found);
      }
    });
  }
  Captures many(*host);
  for (std::size_t n = 0; n < scaled(10'000, 100); ++n) {
    many.start(nr::Command("/bin/true").env("A", "b").cwd("/").resource_limit({RLIMIT_CORE, 0, 0}));
  }
  EXPECT_TRUE(many.join()) << many.under_way() << " hang";
  over = true;
  for (const auto& outcome : many.outcomes()) EXPECT_TRUE(outcome && outcome->success());
}

TEST(SpawningCrowd, TheShepherdStaysSmallWithAThousandRunning) {
  EngineFixture host{one_shard};
  const nr::Nanoseconds with_none = best_start(host);
  std::vector<Running> running;
  for (std::size_t n = 0; n < scaled(10'000, 200); ++n) running.push_back(host.spawn(sleeper));
  const pid_t shepherd = host.shard_stats().shepherd_pid;
  EXPECT_LT(descriptors(shepherd).size(), 64U) << "its table is copied at each clone";
  EXPECT_LT(resident_kib(shepherd), 2048U);
  EXPECT_LT(best_start(host), with_none * 4 + 2ms);
}

}  // namespace
}  // namespace tests
