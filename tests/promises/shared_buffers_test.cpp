/// Readers who keep what they got may use up the buffers that all streams of a shard share. Then the others wait, but
/// none for ever: each goes on as soon as there is a buffer, and none holds up the end of its command.

#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

/// An engine whose buffers are all taken: by output that nobody reads.
class FullEngine : public EngineFixture {
 public:
  /// Each of them waits for a buffer in the end: none may hold so much that it would not read on.
  static constexpr int hoarders = 6;

  FullEngine() : EngineFixture({.shards = 1, .shard_budget_bytes = 64 * KiB, .chunk_bytes = 4096}) {
    for (int n = 0; n < hoarders; ++n) hoarders_.push_back(spawn(sh("head -c 65536 /dev/zero; exec sleep 1000")));
    const auto full = [&] { return shard_stats().buffered_bytes == 64 * KiB && shard_stats().parked == hoarders; };
    EXPECT_TRUE(eventually(full));
  }
  void give_all_back() {
    for (Running& hoarder : hoarders_) hoarder.close_output();
  }

 private:
  std::vector<Running> hoarders_;
};

TEST(SharedBuffers, AStreamThatWaitsForOneIsServedThoughManyIdleOnesWaitBeforeIt) {
  FullEngine host;
  std::vector<Running> idle;
  for (int n = 0; n < 30; ++n) idle.push_back(host.spawn(nr::Command("sleep", "1000")));
  Running echo = host.spawn(nr::Command("echo", "hi"));
  EXPECT_TRUE(eventually([&] { return host.shard_stats().parked == FullEngine::hoarders + 31; }));
  host.give_all_back();
  EXPECT_EQ(echo.read_all(), "hi\n");
  EXPECT_TRUE(echo.wait().success());
  EXPECT_TRUE(eventually([&] { return host.shard_stats().parked == 0; }));
}

TEST(SharedBuffers, AWriterThatWaitsForOneIsServedThoughOneBeforeItHasGivenUp) {
  FullEngine host;
  std::vector<Running> cats;
  const auto fed = [](const nr::Command& command) { return command.in(nr::Stdio::pipe()).out(nr::Stdio::null()); };
  for (int n = 0; n < 3; ++n) cats.push_back(host.spawn(fed(nr::Command("cat"))));
  Running full = host.spawn(fed(nr::Command("sleep", "1000")));
  const std::string much(1 * MiB, 'x');
  // Its pipe takes a part; for the rest there is no buffer, and its caller gives up at its deadline.
  EXPECT_FALSE(nr::blocking::write(full.process(), much, nr::Deadline::after(500ms)));
  host.give_all_back();
  for (Running& cat : cats) {
    cat.write(much);
    cat.close_input();
    EXPECT_TRUE(cat.wait().success());
  }
}

TEST(SharedBuffers, ACommandWhoseOutputFindsNoneEndsAfterTheMaximumAndIsReadableLater) {
  FullEngine host;
  Running echo = host.spawn(nr::Command("echo", "hi").drain({.idle = 100ms, .max = 700ms}));
  const nr::Ended ended = echo.wait();
  EXPECT_TRUE(ended.success());
  EXPECT_GE(ended.timeline.drained_ns - ended.timeline.exited_ns, nr::Nanoseconds(690ms).count());
  EXPECT_LT(ended.timeline.drained_ns - ended.timeline.exited_ns, patience(15s).count());
  host.give_all_back();
  EXPECT_EQ(echo.read_all(), "hi\n");
}

TEST(SharedBuffers, AKillEndsACommandWhoseOutputFindsNone) {
  FullEngine host;
  Running echo = host.spawn(nr::Command("echo", "hi").drain(nr::Drain::until_end_of_file()));
  (void)echo.exited();
  const Stopwatch watch;
  echo.process().kill();
  (void)echo.wait();
  EXPECT_LT(watch.elapsed(), patience(15s));
}

TEST(SharedBuffers, AFewBytesThatAreKeptTakeASmallOne) {
  EngineFixture host({.shards = 1, .shard_budget_bytes = 1 * MiB});
  std::vector<nr::Chunk> kept;
  for (int n = 0; n < 180; ++n) {
    Running echo = host.spawn(nr::Command("echo", "x"));
    std::optional<nr::Chunk> chunk = echo.read();
    ASSERT_TRUE(chunk) << "after " << n;
    kept.push_back(*std::move(chunk));
  }
  EXPECT_EQ(host.run(nr::Command("echo", "there")).out.head, "there\n");
}

TEST(SharedBuffers, ABudgetIsAByteForEachOutputAtLeast) {
  EngineFixture host({.shards = 1});
  const nr::Command both = sh("echo out; echo err >&2").err(nr::Stdio::pipe());
  const nr::Error error = refusal(host, both.budget(1));
  EXPECT_EQ(error.code, nr::ErrorCode::invalid_argument);
  EXPECT_TRUE(says(error, "2 bytes at least"));
  const nr::Completed completed = host.run(both.budget(2));
  EXPECT_EQ(completed.out.head, "out\n");
  EXPECT_EQ(completed.err.head, "err\n");
}

}  // namespace
}  // namespace tests
