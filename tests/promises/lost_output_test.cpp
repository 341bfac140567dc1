/// No byte is lost: what was written before death reaches the consumer, however slow it is and whatever ended the
/// command. Field reports L1 to L6. (L5's log followers belong to daemons.)

#include <atomic>
#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "tests/support/bystander.hpp"
#include "tests/support/child.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/transports.hpp"

namespace tests {
namespace {

std::string numbers(int first, int last) {
  std::string text;
  for (int n = first; n <= last; ++n) text += std::to_string(n) + "\n";
  return text;
}

/// Reads a stream to its end inside a coroutine.
nr::Task<std::string> read_to_end(nr::Process& process, nr::Stream stream = nr::Stream::out) {
  std::string text;
  for (;;) {
    auto chunk = co_await process.read(stream);
    if (!chunk) co_return "error: " + chunk.error().message();
    if (!*chunk) co_return text;
    text += (*chunk)->text();
  }
}

class LostOutput : public OverEachTransport {};
INSTANTIATE_OVER_EACH_TRANSPORT(LostOutput);

TEST_P(LostOutput, ASlowConsumerWithASmallWindowGetsEveryByteAndThenTheExit) {  // L1
  EngineFixture host;
  const std::string expected = numbers(1, 100'000);
  ASSERT_EQ(expected.size(), 588'895u);
  for (std::size_t round = 0; round < scaled(200, 3); ++round) {
    Running seq = host.spawn(nr::Command("seq", "1", "100000").out(nr::Stdio::pipe().window(4 * KiB)));
    std::string text;
    while (auto chunk = seq.read()) {
      text += chunk->text();
      std::this_thread::sleep_for(200us);  // The slow consumer itself.
    }
    ASSERT_TRUE(text == expected) << "round " << round << ": " << text.size() << " bytes";
    const nr::Ended ended = seq.wait();
    EXPECT_TRUE(ended.success()) << nr::to_string(ended.status);
    ASSERT_NE(ended.stream(nr::Stream::out), nullptr);
    EXPECT_EQ(ended.stream(nr::Stream::out)->bytes, expected.size());
    EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
  }
}

TEST_P(LostOutput, AFullPipeIsDeliveredToAReaderThatComesLongAfterTheExit) {  // L4
  EngineFixture host;
  Running last_words = host.spawn(child("write_exact", "65536")
                                      .out(nr::Stdio::pipe().window(4 * KiB).pipe_size(64 * KiB))
                                      .drain({.idle = 100ms, .max = 100ms}));
  EXPECT_EQ(exit_code(last_words.exited()), 0);
  EXPECT_TRUE(remains([&] { return last_words.held_bytes() == 4 * KiB; }, 500ms)) << last_words.held_bytes();
  EXPECT_TRUE(last_words.read_all() == pattern(65536));
  EXPECT_TRUE(last_words.wait().success());
}

TEST_P(LostOutput, WhatNobodyReadStaysReadableAfterWaitReturned) {  // L4, L5's late follower
  EngineFixture host;
  Running last_words = host.spawn(child("write_exact", "65536")
                                      .out(nr::Stdio::pipe().window(4 * KiB).pipe_size(64 * KiB))
                                      .drain({.idle = 100ms, .max = 100ms}));
  EXPECT_TRUE(last_words.wait().success());
  EXPECT_TRUE(last_words.read_all() == pattern(65536));
}

TEST_P(LostOutput, EverythingPrintedBetweenTheStopAndTheExitArrives) {  // L3
  EngineFixture host;
  Running service = host.spawn(sh("f(){ i=0; while [ $i -lt 20000 ]; do echo bye$i; i=$((i+1)); done; exit 7; }\n"
                                  "trap f TERM; echo ready; while :; do sleep 0.1; done")
                                   .ladder({{SIGTERM, nr::Target::group, patience(60s)}}));
  ASSERT_EQ(service.read_exactly(6), "ready\n");
  service.process().stop();
  std::string expected;
  for (int n = 0; n < 20'000; ++n) expected += "bye" + std::to_string(n) + "\n";
  const std::string text = service.read_all();
  EXPECT_TRUE(text == expected) << text.size() << " of " << expected.size() << " bytes";
  const nr::Ended ended = service.wait();
  EXPECT_EQ(exit_code(ended), 7) << nr::to_string(ended.status);
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
}

TEST_P(LostOutput, WhatWasWrittenBeforeASigkillArrives) {  // L2, L3
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(100, 5); ++round) {
    const nr::Completed completed = host.run(sh("seq 1 5000; kill -9 $$"));
    EXPECT_TRUE(completed.out.head == numbers(1, 5000)) << completed.out.total_bytes;
    EXPECT_EQ(end_signal(completed.ended), SIGKILL);
    EXPECT_EQ(completed.ended.reason, nr::EndReason::signaled);
  }
}

TEST_P(LostOutput, WhatWasInThePipeWhenTheEngineKilledTheCommandArrives) {  // L3
  EngineFixture host;
  Running full = host.spawn(sh("seq 1 5000; echo full >&2; exec sleep 600")
                                .out(nr::Stdio::pipe().window(1 * KiB).pipe_size(64 * KiB))
                                .err(nr::Stdio::pipe()));
  EXPECT_EQ(full.read_exactly(5, nr::Stream::err), "full\n");
  full.process().kill();
  EXPECT_EQ(end_signal(full.exited()), SIGKILL);
  EXPECT_TRUE(full.read_all() == numbers(1, 5000));
}

TEST_P(LostOutput, TenMegabytesComeInOrderWhateverTheSizesOfTheReads) {
  EngineFixture host;
  Running writer = host.spawn(child("write_exact", "10000000", "37777"));
  PatternCheck check;
  for (std::size_t size = 1;; size = size * 7 % 100'003) {
    const auto chunk = writer.read(nr::Stream::out, size);
    if (!chunk) break;
    ASSERT_LE(chunk->size(), size);
    ASSERT_GT(chunk->size(), 0u);
    check.add(chunk->text());
  }
  EXPECT_EQ(check.bytes(), 10'000'000u);
  EXPECT_TRUE(check.right());
}

TEST_P(LostOutput, ReadingOnAfterTheEndSaysTheEndAgain) {
  EngineFixture host;
  Running echo = host.spawn(nr::Command("echo", "once"));
  EXPECT_EQ(echo.read_all(), "once\n");
  EXPECT_FALSE(echo.read().has_value());
  echo.wait();
  EXPECT_FALSE(echo.read().has_value());
}

TEST(LostOutputCrowd, TenThousandEchoesOn256InFlightSayHelloEachOnBusyCores) {  // L2
  EngineFixture host;
  const BusyCores busy;
  const std::size_t count = scaled(10'000, 200);
  std::atomic<std::size_t> right = 0, wrong = 0;
  crowd(*host, count, 256, [&](std::size_t) -> nr::Task<void> {
    auto completed = co_await host->capture(sh("echo hello"));
    const bool good = completed && completed->out.head == "hello\n" && completed->success() &&
                      completed->err.total_bytes == 0;
    if (!good && wrong.fetch_add(1) == 0) {
      ADD_FAILURE() << (completed ? "output '" + completed->out.head + "', " + nr::to_string(completed->ended.status)
                                  : completed.error().message());
    }
    right += good;
  });
  EXPECT_EQ(right.load(), count);
}

enum class Route { read, capture, merge };

nr::Task<bool> err_is_right(nr::Engine& engine, Route route) {
  const nr::Command command = sh("echo err >&2; exit 3");
  if (route == Route::read) {
    auto process = co_await engine.spawn(command.err(nr::Stdio::pipe()));
    if (!process) co_return false;
    const std::string text = co_await read_to_end(*process, nr::Stream::err);
    auto ended = co_await process->wait();
    co_return text == "err\n" && ended && exit_code(*ended) == 3;
  }
  nr::Command captured = command;  // Named: g++ 12 destroys a conditional operand of co_await twice.
  if (route == Route::merge) captured = command.err(nr::Stdio::merge());
  auto completed = co_await engine.capture(captured);
  if (!completed || exit_code(completed->ended) != 3) co_return false;
  co_return (route == Route::merge ? completed->out : completed->err).head == "err\n";
}

TEST(LostOutputCrowd, TheFirstAndOnlyErrorLineOfAFastFailureIsNeverDropped) {  // L6
  EngineFixture host;
  const std::size_t count = scaled(10'000, 90);
  std::atomic<std::size_t> right = 0;
  crowd(*host, count, 64, [&](std::size_t n) -> nr::Task<void> {
    right += co_await err_is_right(*host, static_cast<Route>(n % 3));
  });
  EXPECT_EQ(right.load(), count);
}

}  // namespace
}  // namespace tests
