/// A capture keeps the first and the last bytes and counts them all: bounded, whatever the command writes.

#include <atomic>
#include <gtest/gtest.h>
#include <stop_token>
#include <string>
#include <thread>

#include "tests/support/child.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

const nr::CaptureLimits small = {.head_bytes = 1000, .tail_bytes = 300};

TEST(Capture, WhatFitsTheHeadIsAllInTheHead) {
  EngineFixture host;
  for (const std::size_t size : {0uz, 1uz, 999uz, 1000uz}) {
    const nr::Captured out = host.run(child("write_exact", std::to_string(size)), small).out;
    EXPECT_TRUE(out.head == pattern(size)) << size;
    EXPECT_EQ(out.tail, "");
    EXPECT_EQ(out.total_bytes, size);
    EXPECT_FALSE(out.truncated());
    EXPECT_TRUE(out.text() == pattern(size)) << "nothing is added where nothing is missing";
  }
}

TEST(Capture, WhatFitsHeadAndTailTogetherIsComplete) {
  EngineFixture host;
  for (const std::size_t size : {1001uz, 1299uz, 1300uz}) {
    const nr::Captured out = host.run(child("write_exact", std::to_string(size), "7"), small).out;
    EXPECT_TRUE(out.head + out.tail == pattern(size)) << size;
    EXPECT_EQ(out.total_bytes, size);
    EXPECT_FALSE(out.truncated());
  }
}

TEST(Capture, FromTheRestTheMiddleIsCutAndCounted) {
  EngineFixture host;
  for (const std::size_t size : {1301uz, 65'536uz, 5'000'001uz}) {
    const nr::Captured out = host.run(child("write_exact", std::to_string(size), "999"), small).out;
    EXPECT_TRUE(out.head == pattern(1000)) << size;
    EXPECT_TRUE(out.tail == pattern(300, size - 300)) << size;
    EXPECT_EQ(out.total_bytes, size);
    EXPECT_TRUE(out.truncated());
    EXPECT_EQ(out.text().find(out.head), 0u);
    EXPECT_NE(out.text().find(std::to_string(size - 1300)), std::string::npos) << "it says how much is missing";
  }
}

TEST(Capture, NothingMayBeKeptAndAllIsCountedStill) {
  EngineFixture host;
  const nr::Completed completed =
      host.run(child("write_exact", "3000000"), {.head_bytes = 0, .tail_bytes = 0});
  EXPECT_EQ(completed.out.head + completed.out.tail, "");
  EXPECT_EQ(completed.out.total_bytes, 3'000'000u);
  EXPECT_TRUE(completed.success());
}

TEST(Capture, StdoutAndStderrAreKeptApart) {
  EngineFixture host;
  const nr::Completed completed = host.run(sh("echo out; echo err >&2; exit 9"));
  EXPECT_EQ(completed.out.head, "out\n");
  EXPECT_EQ(completed.err.head, "err\n");
  EXPECT_EQ(exit_code(completed.ended), 9);
  EXPECT_FALSE(completed.success());
}

TEST(Capture, AFailureQuotesTheLastWordsWhenAskedFor) {
  EngineFixture host;
  EXPECT_TRUE(host.run(nr::Command("true")).check().has_value());
  const auto checked = host.run(sh("echo 'the disk is on fire' >&2; exit 9")).check();
  ASSERT_FALSE(checked.has_value());
  EXPECT_NE(checked.error().message().find("the disk is on fire"), std::string::npos) << checked.error().message();
  EXPECT_NE(checked.error().message().find("exited 9"), std::string::npos) << checked.error().message();
}

TEST(Capture, AStreamThatGoesElsewhereIsNotCaptured) {
  EngineFixture host;
  const nr::Completed completed = host.run(sh("echo out; echo err >&2").out(nr::Stdio::null()));
  EXPECT_EQ(completed.out.total_bytes, 0u);
  EXPECT_EQ(completed.err.head, "err\n");
}

TEST(Capture, TheInputIsFedMeanwhile) {
  EngineFixture host;
  const std::string input = pattern(3'000'000);
  const nr::Completed completed = host.run(nr::Command("cat").input(input), {.head_bytes = 4 * MiB});
  EXPECT_TRUE(completed.out.head == input);
}

TEST(Capture, AProgramThatIsNotThereIsAnErrorAndNoExit) {
  EngineFixture host;
  const auto completed = host->run(nr::Command("/nonexistent/program"));
  ASSERT_FALSE(completed.has_value());
  EXPECT_EQ(completed.error().code, nr::ErrorCode::not_found);
  EXPECT_EQ(completed.error().stage, nr::Stage::exec);
}

TEST(Capture, ADeadlineGivesWhatWasWrittenTillThen) {
  EngineFixture host;
  const nr::Completed completed = host.run(sh("echo early; exec sleep 600").deadline(patience(500ms)));
  EXPECT_EQ(completed.out.head, "early\n");
  EXPECT_EQ(completed.ended.reason, nr::EndReason::deadline);
}

TEST(Capture, AStopTokenEndsIt) {
  EngineFixture host;
  std::stop_source stop;
  std::thread stopper([&] {
    EXPECT_TRUE(eventually([] { return !processes_with_environment(current_mark()).empty(); }));
    stop.request_stop();
  });
  const auto completed = host.get(host->capture(sh("echo early; exec sleep 600"), {}, stop.get_token()));
  stopper.join();
  if (completed) {
    EXPECT_EQ(completed->ended.reason, nr::EndReason::stopped);
  } else {
    EXPECT_EQ(completed.error().code, nr::ErrorCode::cancelled) << completed.error().message();
  }
  const auto too_late = host.get(host->capture(nr::Command("true"), {}, stop.get_token()));
  ASSERT_FALSE(too_late.has_value());
  EXPECT_EQ(too_late.error().code, nr::ErrorCode::cancelled);
}

TEST(Capture, TheSameCommandValueRunsAnyNumberOfTimesAtOnce) {
  EngineFixture host;
  const nr::Command command = sh("cat; echo end").input("begin\n");
  std::atomic<std::size_t> right = 0;
  const std::size_t count = scaled(400, 40);
  crowd(*host, count, 40, [&](std::size_t) -> nr::Task<void> {
    auto completed = co_await host->capture(command);
    right += completed && completed->out.head == "begin\nend\n";
  });
  EXPECT_EQ(right.load(), count);
}

}  // namespace
}  // namespace tests
