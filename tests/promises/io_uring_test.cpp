/// What io_uring makes easy to get wrong: lost bytes at a cancel, missed ends, overflow, busy loops, no ring at all.

#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bystander.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

nr::Nanoseconds cpu_time() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + nr::Nanoseconds(now.tv_nsec);
}

class RingIsForbidden : public testing::TestWithParam<const char*> {};

TEST_P(RingIsForbidden, TheErrorNamesTheCause) {  // U4
  EXPECT_TRUE(host_succeeds("filtered_host", {"refused", GetParam(), "io_uring_setup", "io_uring_enter",
                                              "io_uring_register"}));
}
INSTANTIATE_TEST_SUITE_P(Seccomp, RingIsForbidden, testing::Values("EPERM", "ENOSYS", "ENOMEM"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(Ring, LittleLockedMemoryIsEnoughOrIsNamed) { EXPECT_TRUE(host_succeeds("poor_host", {"memlock"})); }  // U4

TEST(Ring, TooFewDescriptorsAreNamed) {  // U4, D-limit
  EXPECT_TRUE(host_succeeds("poor_host", {"nofile"}));
}

TEST(Ring, RunningOutOfDescriptorsHarmsNoRunningCommand) { EXPECT_TRUE(host_succeeds("poor_host", {"exhausted"})); }

TEST(RingCrowd, NoEndOfOutputIsMissed) {  // U1
  const BusyCores load;
  EngineFixture host;
  Captures many(*host);
  const std::size_t size = scaled(10'000, 200);
  for (std::size_t n = 0; n < size; ++n) many.start(nr::Command("printf", "foobar"));
  ASSERT_TRUE(many.join()) << many.under_way() << " wait for an end that was missed";
  for (const auto& outcome : many.outcomes()) {
    ASSERT_TRUE(outcome) << outcome.error().message();
    EXPECT_EQ(outcome->out.head, "foobar");
    const auto* out = outcome->ended.stream(nr::Stream::out);
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(out->end, nr::StreamEnd::file_end) << nr::name_of(out->end);
  }
}

TEST(Ring, AWithdrawnReadLosesNoRecordAndDoublesNone) {  // U2
  EngineFixture host({.shards = 1});
  const std::uint64_t count = scaled(100'000, 2000);
  Running writer = host.spawn(child("numbered_records", std::to_string(count)));
  std::mt19937 random(2);
  std::string pending;
  std::uint64_t next = 0, withdrawn = 0;
  for (;;) {
    const auto limit = nr::Deadline::after(std::chrono::microseconds(random() % 300));
    const auto chunk = nr::blocking::read(writer.process(), nr::Stream::out, limit);
    if (!chunk) {
      ASSERT_EQ(chunk.error().code, nr::ErrorCode::timed_out) << chunk.error().message();
      ++withdrawn;
      continue;
    }
    if (!*chunk) break;
    pending += (*chunk)->text();
    std::size_t at = 0;
    for (; at + 8 <= pending.size(); at += 8) {
      std::uint64_t number = 0;
      std::copy_n(pending.data() + at, 8, reinterpret_cast<char*>(&number));
      ASSERT_EQ(number, next++);
    }
    pending.erase(0, at);
  }
  EXPECT_EQ(next, count);
  EXPECT_GT(withdrawn, 0U) << "the test did not test";
  EXPECT_EQ(exit_code(writer.wait()), 0);
}

TEST(RingCrowd, HandlesDroppedAtAnyMomentLeaveNothing) {  // U3
  EngineFixture host;
  std::vector<std::jthread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&host, thread] {
      std::mt19937 random(30 + thread);
      for (std::size_t round = 0; round < scaled(1500, 30); ++round) {
        const nr::Command command = nr::Command("cat", "/dev/zero").in(nr::Stdio::pipe()).err(nr::Stdio::pipe());
        auto started = nr::blocking::get(host->spawn(command),
                                         nr::Deadline::after(std::chrono::microseconds(random() % 6000)));
        if (!started) continue;
        std::jthread reader([&] {
          (void)nr::blocking::read(*started, nr::Stream::out, nr::Deadline::after(1ms));
          (void)nr::blocking::read(*started, nr::Stream::err, nr::Deadline::after(1ms));
        });
        (void)nr::blocking::write(*started, std::string(200'000, 'x'),
                                  nr::Deadline::after(std::chrono::microseconds(random() % 1000)));
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(eventually([&] { return host.get(host->stats()).running() == 0; }));
}

TEST(RingCrowd, ManyThatWriteAndEndInTheSameInstant) {  // U6
  EngineFixture host({.shards = 1});
  const TempFolder folder;
  const std::string gate = folder / "gate";
  ASSERT_EQ(mkfifo(gate.c_str(), 0600), 0);
  const int opener = open(gate.c_str(), O_RDWR | O_CLOEXEC);
  std::vector<Running> children;
  for (std::size_t n = 0; n < scaled(4000, 100); ++n) {
    children.push_back(host.spawn(nr::Command(
        "/bin/sh", "-c", "exec 3<\"$0\"; echo ready; read line <&3; echo out; echo err >&2; exit 7", gate)
                                      .err(nr::Stdio::pipe())));
  }
  for (Running& one : children) ASSERT_EQ(one.read_exactly(6), "ready\n");
  close(opener);
  for (Running& one : children) {
    EXPECT_EQ(one.read_all(), "out\n");
    EXPECT_EQ(one.read_all(nr::Stream::err), "err\n");
    EXPECT_EQ(exit_code(one.wait()), 7);
  }
  EXPECT_EQ(host.shard_stats().running, 0U);
}

TEST(Ring, MoreThanABufferAtOnceArrivesWhole) {  // U7
  EngineFixture host({.shards = 1, .chunk_bytes = 4096});
  Running writer = host.spawn(python("import os,time\nos.write(1,bytes(range(256))*256)\ntime.sleep(1000)"));
  const std::string seen = writer.read_exactly(64 * KiB);
  ASSERT_EQ(seen.size(), 64 * KiB);
  for (std::size_t at = 0; at < seen.size(); ++at) ASSERT_EQ(static_cast<unsigned char>(seen[at]), at % 256);
}

TEST(Ring, TinyOutputsUseUpNoBuffers) {  // U7
  EngineFixture host({.shards = 1});
  (void)host.run(nr::Command("printf", "x"));
  for (std::size_t round = 0; round < scaled(5000, 100); ++round) {
    EXPECT_EQ(host.run(nr::Command("printf", "x")).out.head, "x");
  }
  EXPECT_LE(host.shard_stats().pool_bytes, 512 * nr::KiB);  // A handful of chunks, whatever the number of rounds.
  EXPECT_EQ(host.shard_stats().buffered_bytes, 0U);
}

TEST(Ring, StreamsWithoutCreditCostNoTime) {  // U8
  EngineFixture host({.shards = 1});
  std::vector<Running> floods;
  for (int n = 0; n < 30; ++n) floods.push_back(host.spawn(nr::Command("yes").out(nr::Stdio::pipe().window(64 * KiB))));
  ASSERT_TRUE(eventually([&] {
    return std::all_of(floods.begin(), floods.end(), [](Running& one) { return one.held_bytes() == 64 * KiB; });
  }));
  const std::uint64_t turns = host.shard_stats().turns;
  const nr::Nanoseconds cpu = cpu_time();
  std::this_thread::sleep_for(1s);  // What is measured.
  EXPECT_LT(cpu_time() - cpu, 300ms);
  EXPECT_LT(host.shard_stats().turns - turns, 1000U);
}

TEST(Ring, StreamsThatWaitForBudgetCostNoTime) {  // U8: more streams than the shard has memory for.
  EngineFixture host({.shards = 1, .shard_budget_bytes = 256 * KiB});
  std::vector<Running> floods;
  for (int n = 0; n < 30; ++n) floods.push_back(host.spawn(nr::Command("yes")));
  ASSERT_TRUE(eventually([&] { return host.shard_stats().parked > 0; }));
  std::uint64_t turns = 0;
  EXPECT_TRUE(eventually([&] {  // Once the readers have filled what there is.
    const std::uint64_t now = host.shard_stats().turns;
    return now - std::exchange(turns, now) < 20;
  }));
  const nr::Nanoseconds cpu = cpu_time();
  std::this_thread::sleep_for(1s);  // What is measured.
  EXPECT_LT(cpu_time() - cpu, 300ms);
  EXPECT_LE(host.shard_stats().buffered_bytes_peak, 256 * KiB);
}

TEST(Ring, AnIdleEngineCostsNoTime) {
  EngineFixture host;
  std::vector<Running> sleepers;
  for (int n = 0; n < 20; ++n) sleepers.push_back(host.spawn(nr::Command("sleep", "1000")));
  const nr::Nanoseconds cpu = cpu_time();
  std::this_thread::sleep_for(1s);  // What is measured.
  EXPECT_LT(cpu_time() - cpu, 200ms);
}

}  // namespace
}  // namespace tests
