/// A slow or absent consumer slows the child, and nothing piles up; nothing deadlocks either. Field reports F1 to F8.
/// (F3 is about daemons, F9 about terminals.)

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/progress.hpp"
#include "tests/support/transports.hpp"

namespace tests {
namespace {

class Backpressure : public OverEachTransport {};
INSTANTIATE_OVER_EACH_TRANSPORT(Backpressure);

TEST_P(Backpressure, AConsumerThatStopsReadingStopsTheChild) {
  EngineFixture host({.shards = 1, .window_bytes = 64 * KiB, .pipe_bytes = 64 * KiB});
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()));
  EXPECT_TRUE(eventually([&] { return flood.held_bytes() == 64 * KiB; }));
  EXPECT_TRUE(remains([&] { return progress.bytes() <= 64 * KiB + carried_bytes_max(); }));
  EXPECT_EQ(flood.read_exactly(1'000'000), pattern(1'000'000));
  EXPECT_TRUE(eventually([&] { return flood.held_bytes() == 64 * KiB; }));
  EXPECT_TRUE(remains([&] { return progress.bytes() <= 1'064'000 + carried_bytes_max() + 4 * KiB; }));
}

TEST_P(Backpressure, ACallerThatOnlyWaitsIsToldWhichStreamStoodStill) {  // F1
  EngineFixture host;
  Running head = host.spawn(nr::Command("head", "-c", "5000000", "/dev/zero").deadline(patience(1s)));
  const nr::Ended ended = head.wait();
  EXPECT_EQ(ended.reason, nr::EndReason::deadline);
  EXPECT_NE(ended.stalled_on.find("stdout"), std::string::npos) << '"' << ended.stalled_on << '"';
}

TEST_P(Backpressure, ACaptureNeverStandsStill) {  // F1
  EngineFixture host;
  const nr::Completed completed = host.run(nr::Command("head", "-c", "5000000", "/dev/zero"));
  EXPECT_TRUE(completed.success());
  EXPECT_EQ(completed.out.total_bytes, 5'000'000u);
}

TEST_P(Backpressure, AStreamThatStandsStillDoesNotStopAnother) {  // F5
  EngineFixture host;
  Running shell = host.spawn(sh("(head -c 1000000 /dev/zero >&2) & seq 1 1000; wait").err(nr::Stdio::pipe()));
  EXPECT_EQ(shell.read_exactly(3893).size(), 3893u);
  EXPECT_EQ(shell.read_all(nr::Stream::err).size(), 1'000'000u);
  EXPECT_TRUE(shell.wait().success());
}

TEST_P(Backpressure, BothStreamsComeWholeInEitherOrder) {  // F5
  EngineFixture host;
  for (const char* script : {"head -c 1000000 /dev/zero >&2; head -c 1000000 /dev/zero",
                             "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2"}) {
    const nr::Completed completed = host.run(sh(script), {.head_bytes = 1000, .tail_bytes = 0});
    EXPECT_TRUE(completed.success());
    EXPECT_EQ(completed.out.total_bytes, 1'000'000u);
    EXPECT_EQ(completed.err.total_bytes, 1'000'000u);
  }
}

TEST_P(Backpressure, OnlyStdoutIsReadWhileStderrIsCapturedOrNowhere) {  // F5
  EngineFixture host;
  Running shell = host.spawn(sh("head -c 1000000 /dev/zero >&2; echo done").err(nr::Stdio::null()));
  EXPECT_EQ(shell.read_all(), "done\n");
}

TEST_P(Backpressure, BytesAreHandedOutAsTheyAreWhereverAReadEnds) {  // F6
  EngineFixture host;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()).out(nr::Stdio::pipe().window(3)));
  const std::string text = "a\xe2\x80\x94\n\xff\xfe" + all;
  cat.write(text);
  cat.close_input();
  EXPECT_EQ(cat.read_all(), text);
}

TEST_P(Backpressure, AHugeStartFailureIsReportedAndBlocksNobody) {  // F7
  EngineFixture host;
  nr::Command command = nr::Command("/nonexistent/" + std::string(3000, 'p')).arg(std::string(100'000, 'x'));
  for (int n = 0; n < 1000; ++n) command = command.env("VARIABLE_" + std::to_string(n), std::string(50, 'v'));
  for (int n = 0; n < 50; ++n) {
    const auto started = nr::blocking::get(host->spawn(command), verb_deadline());
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code, nr::ErrorCode::not_found) << started.error().message().substr(0, 200);
  }
  EXPECT_TRUE(host.run(nr::Command("true")).success());
}

TEST_P(Backpressure, MergedOutputKeepsTheOrderOfTheKernel) {  // F8
  EngineFixture host;
  std::string expected;
  for (int n = 0; n < 1000; ++n) expected += "o" + std::to_string(n) + "\ne" + std::to_string(n) + "\n";
  for (std::size_t round = 0; round < scaled(100, 3); ++round) {
    const nr::Completed completed =
        host.run(sh("i=0; while [ $i -lt 1000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done").err(nr::Stdio::merge()));
    ASSERT_TRUE(completed.out.head == expected) << "round " << round;
    EXPECT_EQ(completed.err.total_bytes, 0u);
  }
}

TEST_P(Backpressure, AHandleDroppedWhileItsCommandStreamsAtFullSpeedEndsIt) {  // F2
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(500, 10); ++round) {
    Running yes = host.spawn(nr::Command("yes"));
    ASSERT_FALSE(yes.read_text().empty());
    if (round % 2 == 0) continue;  // Dropped here, in this thread.
    std::thread([dropped = yes.take()] {}).join();
  }
  EXPECT_TRUE(eventually([] { return processes_with_environment(current_mark()).empty(); }));
}

class OutputLimit : public testing::TestWithParam<std::tuple<std::uint64_t, nr::Transport>> {
 protected:
  [[nodiscard]] static std::uint64_t limit_of() { return std::get<0>(GetParam()); }

 private:
  UsedTransport used_{std::get<1>(GetParam())};
};

TEST_P(OutputLimit, StopDeliversExactlySoMuchAndEndsEvenADeafCommand) {  // F4
  const std::uint64_t limit = limit_of();
  EngineFixture host({.shards = 1});
  Running deaf = host.spawn(sh("trap '' TERM PIPE; cat /dev/zero")
                                .output_limit(limit)
                                .ladder({{SIGTERM, nr::Target::group, 100ms}}));
  EXPECT_EQ(deaf.read_all().size(), limit);
  const nr::Ended ended = deaf.wait();
  EXPECT_EQ(ended.reason, nr::EndReason::output_limit);
  ASSERT_NE(ended.stream(nr::Stream::out), nullptr);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::limit);
  EXPECT_EQ(ended.stream(nr::Stream::out)->bytes, limit) << "no byte more was read";
  EXPECT_LE(host.shard_stats().buffered_bytes_peak, 256 * KiB) << "memory is bounded by the window";
}

TEST_P(OutputLimit, TruncateDeliversExactlySoMuchAndCountsTheRest) {  // F4
  const std::uint64_t limit = limit_of(), total = limit + 4464;
  EngineFixture host;
  Running writer = host.spawn(
      child("write_exact", std::to_string(total), "1000").output_limit(limit, nr::AtLimit::truncate));
  EXPECT_TRUE(writer.read_all() == pattern(limit));
  const nr::Ended ended = writer.wait();
  EXPECT_TRUE(ended.success()) << nr::name_of(ended.reason);
  ASSERT_NE(ended.stream(nr::Stream::out), nullptr);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::truncated);
  EXPECT_EQ(ended.stream(nr::Stream::out)->dropped_bytes, 4464u);
  EXPECT_EQ(ended.stream(nr::Stream::out)->bytes, limit) << "delivered and dropped are counted apart";
}

INSTANTIATE_TEST_SUITE_P(Limits, OutputLimit,
                         testing::Combine(testing::Values(1, 4095, 65536, 100'001), each_transport()),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) + "Bytes" +
                                  transport_name(std::get<1>(info.param));
                         });

TEST_P(Backpressure, AnOutputOfExactlyTheLimitIsNotTruncated) {  // F4
  EngineFixture host;
  Running writer = host.spawn(child("write_exact", "65536").output_limit(65536, nr::AtLimit::truncate));
  EXPECT_TRUE(writer.read_all() == pattern(65536));
  const nr::Ended ended = writer.wait();
  EXPECT_TRUE(ended.success()) << nr::name_of(ended.reason);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
  EXPECT_EQ(ended.stream(nr::Stream::out)->dropped_bytes, 0u);
}

TEST_P(Backpressure, TheLimitIsPerStream) {  // F4
  EngineFixture host;
  const nr::Completed completed = host.run(
      sh("head -c 50000 /dev/zero; head -c 50000 /dev/zero >&2").output_limit(60'000, nr::AtLimit::truncate));
  EXPECT_TRUE(completed.success());
  EXPECT_EQ(completed.out.total_bytes, 50'000u);
  EXPECT_EQ(completed.err.total_bytes, 50'000u);
}

TEST(BackpressureCrowd, TwoThousandCommandsAtOnceOnTwoShardsWithSlowConsumers) {
  EngineFixture host({.shards = 2, .window_bytes = 4 * KiB});
  const std::size_t count = scaled(2'000, 200), bytes = 20'000;
  std::vector<Running> commands;
  for (std::size_t n = 0; n < count; ++n) {
    commands.push_back(host.spawn(child("write_exact", std::to_string(bytes), "3000")));
  }
  // Four consumers, each with a quarter of them: one small read from each in turn, the chunk held meanwhile.
  std::atomic<std::size_t> right = 0;
  std::vector<std::thread> consumers;
  for (std::size_t first = 0; first < 4; ++first) {
    consumers.emplace_back([&, first] {
      std::vector<PatternCheck> checks(count);
      for (std::size_t open = 1; open > 0;) {
        open = 0;
        for (std::size_t n = first; n < count; n += 4) {
          if (checks[n].bytes() == bytes) continue;
          const auto chunk = commands[n].read(nr::Stream::out, 1500);
          if (chunk) checks[n].add(chunk->text());
          open += chunk && checks[n].bytes() < bytes;
        }
      }
      for (std::size_t n = first; n < count; n += 4) right += checks[n].right() && checks[n].bytes() == bytes;
    });
  }
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(right.load(), count);
  for (Running& command : commands) EXPECT_TRUE(command.wait().success());
  for (std::size_t shard = 0; shard < 2; ++shard) {
    EXPECT_LE(host.shard_stats(shard).buffered_bytes_peak, count * 4 * KiB) << "a window each";
  }
}

}  // namespace
}  // namespace tests
