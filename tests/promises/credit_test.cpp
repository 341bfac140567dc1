/// No byte is read that nobody asked for: windows and budgets are exact, in bytes. (Design, section 4.)

#include <array>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/progress.hpp"
#include "tests/support/transports.hpp"

namespace tests {
namespace {

const std::uint64_t pipe_bytes = 64 * KiB;

/// A stream's own books balance at every moment.
::testing::AssertionResult balances(const nr::StreamStats& figures) {
  if (figures.window_bytes == figures.free_bytes + figures.reserved_bytes + figures.held_bytes) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << figures.window_bytes << " != " << figures.free_bytes << " free + "
                                       << figures.reserved_bytes << " reserved + " << figures.held_bytes << " held";
}

class CreditWindow : public testing::TestWithParam<std::tuple<std::uint64_t, nr::Transport>> {
 protected:
  [[nodiscard]] static std::uint64_t window_of() { return std::get<0>(GetParam()); }
  [[nodiscard]] static std::uint64_t carried_bytes_max() { return tests::carried_bytes_max(std::get<1>(GetParam())); }

 private:
  UsedTransport used_{std::get<1>(GetParam())};
};

TEST_P(CreditWindow, AnUnreadFloodIsHeldToTheByteAndStandsStill) {
  const std::uint64_t window = window_of();
  EngineFixture host({.shards = 1, .pipe_bytes = pipe_bytes});
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(window)));
  EXPECT_TRUE(eventually([&] { return flood.held_bytes() == window; })) << flood.held_bytes();
  EXPECT_TRUE(eventually([&] { return progress.waited() > 0 && progress.bytes() >= window; }));
  EXPECT_TRUE(remains([&] { return progress.bytes() <= window + carried_bytes_max(); })) << progress.bytes();
  const nr::StreamStats figures = flood.stream_stats();
  EXPECT_EQ(figures.window_bytes, window);
  EXPECT_EQ(figures.held_bytes, window);
  EXPECT_EQ(figures.bytes, window) << "no byte more was read from the pipe";
  EXPECT_TRUE(balances(figures));
  EXPECT_GT(figures.stalls, 0u);
}

TEST_P(CreditWindow, EveryByteComesThroughItInOrder) {
  const std::uint64_t window = window_of();
  EngineFixture host({.shards = 1});
  const std::uint64_t total = window == 1 ? scaled(20'000, 1'000) : 3'000'000;
  Running writer = host.spawn(child("write_exact", std::to_string(total)).out(nr::Stdio::pipe().window(window)));
  PatternCheck check;
  while (const auto chunk = writer.read()) {
    ASSERT_LE(chunk->size(), window);
    check.add(chunk->text());
  }
  EXPECT_EQ(check.bytes(), total);
  EXPECT_TRUE(check.right());
  EXPECT_TRUE(writer.wait().success());
}

TEST_P(CreditWindow, AChunkThatIsHeldStopsTheChildAndLettingItGoStartsItAgain) {
  const std::uint64_t window = window_of();
  EngineFixture host({.shards = 1, .pipe_bytes = pipe_bytes});
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(window)));
  std::vector<nr::Chunk> held;
  for (std::uint64_t bytes = 0; bytes < window; bytes += held.back().size()) held.push_back(*flood.read());
  const std::uint64_t written_max = window + carried_bytes_max();
  EXPECT_TRUE(remains([&] { return flood.held_bytes() == window && progress.bytes() <= written_max; }));
  PatternCheck check;
  for (const nr::Chunk& chunk : held) check.add(chunk.text());
  EXPECT_TRUE(check.right() && check.bytes() == window) << "held chunks keep their bytes";
  held.clear();
  EXPECT_TRUE(eventually([&] { return flood.stream_stats().bytes == 2 * window; })) << flood.stream_stats().bytes;
}

INSTANTIATE_TEST_SUITE_P(Windows, CreditWindow,
                         testing::Combine(testing::Values(1, 4 * KiB, 64 * KiB, 1 * MiB), each_transport()),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) + "Bytes" +
                                  transport_name(std::get<1>(info.param));
                         });

class Credit : public OverEachTransport {};
INSTANTIATE_OVER_EACH_TRANSPORT(Credit);

TEST_P(Credit, AChunkDroppedInAnotherThreadGivesItsBytesBack) {
  EngineFixture host({.shards = 1, .pipe_bytes = pipe_bytes});
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(4 * KiB)));
  for (std::uint64_t taken = 0; taken < 1 * MiB;) {
    std::optional<nr::Chunk> chunk = flood.read();
    taken += chunk->size();
    std::thread([dropped = *std::move(chunk)] {}).join();
  }
  EXPECT_TRUE(eventually([&] { return flood.held_bytes() == 4 * KiB; }));
  EXPECT_TRUE(balances(flood.stream_stats()));
}

TEST_P(Credit, OneByteWritesKeepTheWindowOpen) {
  EngineFixture host({.shards = 1, .chunk_bytes = 4096});
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()).out(nr::Stdio::pipe().window(8 * KiB)));
  std::vector<nr::Chunk> held;  // Each is one byte, read by itself.
  for (std::size_t n = 0; n < 200; ++n) {
    cat.write(std::string(1, static_cast<char>('a' + n % 26)));
    auto chunk = cat.read();
    ASSERT_TRUE(chunk.has_value());
    ASSERT_EQ(chunk->size(), 1u);
    held.push_back(*std::move(chunk));
    ASSERT_EQ(cat.held_bytes(), held.size()) << "a byte costs a byte";
  }
  for (std::size_t n = 0; n < held.size(); ++n) EXPECT_EQ(held[n].text()[0], static_cast<char>('a' + n % 26));
}

TEST_P(Credit, OneByteWritesThatNobodyReadsCostAByteEach) {
  EngineFixture host({.shards = 1});
  Running trickle = host.spawn(child("trickle", "1", "300", "x").out(nr::Stdio::pipe().window(4 * KiB)));
  EXPECT_EQ(exit_code(trickle.exited()), 0);
  EXPECT_TRUE(eventually([&] { return trickle.held_bytes() == 300; })) << trickle.held_bytes();
  EXPECT_EQ(trickle.read_all(), std::string(300, 'x'));
}

TEST_P(Credit, TheBudgetOfACommandBoundsAllItsStreamsTogether) {
  EngineFixture host({.shards = 1, .pipe_bytes = pipe_bytes});
  std::array<Progress, 3> progress;
  std::string script;
  for (int n = 0; n < 3; ++n) {
    script += child_path("flood") + " " + progress[static_cast<std::size_t>(n)].path() + " 4096 " +
              std::to_string(n + 1) + " & ";
  }
  Running floods = host.spawn(sh(script + "wait")
                                  .out(nr::Stdio::pipe().window(1 * MiB))
                                  .err(nr::Stdio::pipe().window(1 * MiB))
                                  .extra({3, nr::Direction::from_command, nr::Stdio::pipe().window(1 * MiB)})
                                  .budget(256 * KiB));
  const auto sum = [&] {
    std::uint64_t bytes = 0;
    for (const nr::StreamStats& figures : floods.stats().streams) bytes += figures.held_bytes;
    return bytes;
  };
  EXPECT_TRUE(eventually([&] { return sum() == 256 * KiB; })) << sum();
  EXPECT_TRUE(remains([&] { return sum() == 256 * KiB; })) << sum();
  for (Progress& each : progress) EXPECT_TRUE(eventually([&] { return each.waited() > 0; }));
  const std::uint64_t written = progress[0].bytes() + progress[1].bytes() + progress[2].bytes();
  EXPECT_LE(written, 256 * KiB + 3 * carried_bytes_max());
  for (const nr::Stream stream : {nr::Stream::out, nr::Stream::err, nr::extra_stream(3)}) {
    EXPECT_FALSE(floods.read_exactly(100'000, stream).empty()) << "no stream starves beside the others";
  }
}

TEST_P(Credit, AStreamThatHasEndedLeavesTheWholeBudgetToTheOthers) {
  EngineFixture host({.shards = 1});
  const nr::Command head("head", "-c", "100000", "/dev/zero");
  Running quiet = host.spawn(head.out(nr::Stdio::pipe()).err(nr::Stdio::pipe()).budget(100'000));
  EXPECT_TRUE(eventually([&] { return quiet.held_bytes() == 100'000; })) << quiet.held_bytes();
  EXPECT_EQ(quiet.read_all().size(), 100'000u);
  EXPECT_TRUE(quiet.wait().success());
}

TEST_P(Credit, AStreamThatIsClosedLeavesTheWholeBudgetToTheOthers) {
  EngineFixture host({.shards = 1});
  Running both = host.spawn(sh("yes >&2 & head -c 100000 /dev/zero; wait")
                                .out(nr::Stdio::pipe())
                                .err(nr::Stdio::pipe())
                                .budget(100'000));
  const auto held = [&] { return both.held_bytes(nr::Stream::out) + both.held_bytes(nr::Stream::err); };
  EXPECT_TRUE(eventually([&] { return held() == 100'000; })) << held();
  EXPECT_LT(both.held_bytes(), 100'000u);
  both.close_output(nr::Stream::err);
  EXPECT_TRUE(eventually([&] { return both.held_bytes() == 100'000; })) << both.held_bytes();
}

TEST_P(Credit, TheBudgetOfAShardBoundsAllItsCommandsTogether) {
  EngineFixture host({.shards = 1, .shard_budget_bytes = 1 * MiB, .pipe_bytes = pipe_bytes});
  std::vector<std::unique_ptr<Progress>> progress;
  std::vector<Running> floods;
  for (int n = 0; n < 8; ++n) {
    progress.push_back(std::make_unique<Progress>());
    floods.push_back(host.spawn(child("flood", progress.back()->path()).out(nr::Stdio::pipe().window(1 * MiB))));
  }
  for (const auto& each : progress) EXPECT_TRUE(eventually([&] { return each->waited() > 0; }));
  EXPECT_TRUE(remains([&] { return host.shard_stats().buffered_bytes <= 1 * MiB; }));
  const nr::ShardStats figures = host.shard_stats();
  EXPECT_EQ(figures.budget_bytes, 1 * MiB);
  EXPECT_LE(figures.buffered_bytes_peak, 1 * MiB);
  EXPECT_GE(figures.buffered_bytes, 256 * KiB) << "a budget is there to be used, though chunks may be partly filled";
  std::uint64_t held = 0;
  for (Running& flood : floods) held += flood.held_bytes();
  EXPECT_LE(held, 1 * MiB);
  for (Running& flood : floods) EXPECT_EQ(flood.read_exactly(300'000), pattern(300'000)) << "shared fairly";
}

TEST_P(Credit, OneFloodThatNobodyReadsDoesNotStarveATrickle) {
  EngineFixture host({.shards = 1, .shard_budget_bytes = 256 * KiB, .pipe_bytes = pipe_bytes});
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(1 * MiB)));
  EXPECT_TRUE(eventually([&] { return progress.waited() > 0; }));
  EXPECT_TRUE(remains([&] { return host.shard_stats().buffered_bytes <= 256 * KiB; }));
  const Stopwatch watch;
  Running trickle = host.spawn(child("trickle", "5", "50"));
  std::string expected;
  for (int n = 0; n < 50; ++n) expected += std::to_string(n) + "\n";
  EXPECT_EQ(trickle.read_all(), expected);
  EXPECT_LT(watch.elapsed(), patience(15s));
}

TEST_P(Credit, IdleStreamsHoldNoChunk) {
  EngineFixture host({.shards = 1, .shard_budget_bytes = 1 * MiB, .chunk_bytes = 64 * KiB});  // 16 chunks' worth.
  std::vector<Running> idle;
  for (int n = 0; n < 100; ++n) {
    idle.push_back(host.spawn(nr::Command("cat").in(nr::Stdio::pipe()).out(nr::Stdio::pipe()).err(nr::Stdio::pipe())));
  }
  EXPECT_EQ(host.shard_stats().buffered_bytes, 0u);
  Running writer = host.spawn(child("write_exact", "5000000"));
  PatternCheck check;
  while (const auto chunk = writer.read()) check.add(chunk->text());
  EXPECT_EQ(check.bytes(), 5'000'000u);
  EXPECT_TRUE(check.right());
  EXPECT_LE(host.shard_stats().pool_bytes, 2 * MiB) << "the pool is as large as the budget, not as the streams";
}

TEST_P(Credit, ManyStreamsWithAnUnreadByteEachBlockNobody) {
  EngineFixture host({.shards = 1, .shard_budget_bytes = 1 * MiB, .chunk_bytes = 64 * KiB});
  std::vector<Running> cats;
  for (int n = 0; n < 100; ++n) cats.push_back(host.spawn(nr::Command("cat").in(nr::Stdio::pipe())));
  for (Running& cat : cats) cat.write("x");  // A hundred bytes in all, of a budget of a million.
  for (Running& cat : cats) EXPECT_EQ(cat.read_text(), "x");
}

TEST_P(Credit, ATightShardBudgetServesEachReaderWhateverTheOthersHold) {
  EngineFixture host({.shards = 1, .shard_budget_bytes = 1 * MiB, .pipe_bytes = pipe_bytes});
  std::vector<std::unique_ptr<Progress>> progress;
  std::vector<Running> floods;
  for (int n = 0; n < 100; ++n) {
    progress.push_back(std::make_unique<Progress>());
    floods.push_back(host.spawn(child("flood", progress.back()->path()).out(nr::Stdio::pipe().window(4 * KiB))));
  }
  for (const auto& each : progress) EXPECT_TRUE(eventually([&] { return each->waited() > 0; }));
  for (Running& flood : floods) EXPECT_EQ(flood.read_exactly(1500), pattern(1500));  // Nobody reads the rest.
  EXPECT_LE(host.shard_stats().buffered_bytes_peak, 1 * MiB);
}

TEST_P(Credit, AChunkOutlivesItsProcessAndItsEngine) {
  nr::Chunk first, second;
  {
    EngineFixture host({.shards = 1});
    {
      Running writer = host.spawn(child("write_exact", "200000"));
      first = *writer.read();
      second = *writer.read();
    }
    EXPECT_EQ(std::string(first.text()), pattern(first.size()));
  }
  EXPECT_EQ(std::string(first.text()), pattern(first.size()));
  EXPECT_EQ(std::string(second.text()), pattern(second.size(), first.size()));
  std::thread([dropped = std::move(first)] {}).join();
}

TEST_P(Credit, AWindowOfNothingIsRefused) {
  EngineFixture host({.shards = 1});
  // Stdio::window(0) says "the engine's default": so it is the engine's own default that must not be zero.
  EXPECT_FALSE(nr::Engine::open({.shards = 1, .window_bytes = 0}).has_value());
  EXPECT_EQ(host.run(nr::Command("echo", "a").out(nr::Stdio::pipe().window(0))).out.head, "a\n");
}

}  // namespace
}  // namespace tests
