/// Input: /dev/null unless asked for, bounded, closed by itself; a command that has enough is no failure. Field reports
/// S1 to S6.

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/progress.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/transports.hpp"

namespace tests {
namespace {

class Stdin : public OverEachTransport {};
INSTANTIATE_OVER_EACH_TRANSPORT(Stdin);

TEST_P(Stdin, ACommandThatHasEnoughInputIsNoFailure) {  // S1
  struct sigaction before{};
  sigaction(SIGPIPE, nullptr, &before);
  ASSERT_EQ(before.sa_handler, SIG_DFL) << "a SIGPIPE would end this host";
  EngineFixture host;
  const std::string input(10'000'000, 'i');
  for (std::size_t round = 0; round < scaled(1'000, 10); ++round) {
    const nr::Command command = round % 2 == 0 ? nr::Command("true") : nr::Command("head", "-c", "1");
    const nr::Completed completed = host.run(command.input(input));
    ASSERT_TRUE(completed.success()) << nr::to_string(completed.ended.status);
    const nr::StreamSummary* in = completed.ended.stream(nr::Stream::in);
    ASSERT_NE(in, nullptr);
    EXPECT_GT(in->dropped_bytes, 0u);
    EXPECT_EQ(in->bytes + in->dropped_bytes, input.size());
  }
  struct sigaction after{};
  sigaction(SIGPIPE, nullptr, &after);
  EXPECT_EQ(after.sa_handler, SIG_DFL);
}

TEST_P(Stdin, WritingToACommandThatClosedItsInputSaysBrokenPipe) {  // S1
  EngineFixture host;
  Running shell = host.spawn(sh("exec <&-; echo closed; sleep 600").in(nr::Stdio::pipe()));
  EXPECT_EQ(shell.read_exactly(7), "closed\n");
  const std::string much(1'000'000, 'i');
  nr::Result<void> written;
  EXPECT_TRUE(eventually([&] {
    written = nr::blocking::get(shell.process().write(much), verb_deadline());
    return !written.has_value();
  }));
  EXPECT_EQ(written.error().code, nr::ErrorCode::broken_pipe) << written.error().message();
}

TEST_P(Stdin, ACommandThatClosedItsInputIsStillHeard) {  // S1, S2
  EngineFixture host;
  const nr::Completed completed =
      host.run(sh("exec <&-; sleep 0.1; seq 1 1000; exit 5").input(std::string(1'000'000, 'i')));
  EXPECT_EQ(exit_code(completed.ended), 5);
  EXPECT_EQ(completed.out.total_bytes, 3893u);
}

TEST_P(Stdin, AFilterThatReadsToTheEndOfItsInputEnds) {  // S4
  EngineFixture host;
  for (const std::size_t size : {0uz, 1uz, 10'000'000uz}) {
    EXPECT_EQ(host.run(nr::Command("wc", "-c").input(std::string(size, 'i'))).out.head, std::to_string(size) + "\n");
    Running wc = host.spawn(nr::Command("wc", "-c").in(nr::Stdio::pipe()));
    if (size > 0) wc.write(std::string(size, 'i'));
    wc.close_input();
    EXPECT_EQ(wc.read_all(), std::to_string(size) + "\n");
  }
}

TEST_P(Stdin, InputIsFedAndClosedWhileTheOutputIsNotYetRead) {  // S4
  EngineFixture host;
  Running sort = host.spawn(nr::Command("sort").in(nr::Stdio::pipe()));
  for (int n = 9999; n >= 1000; --n) sort.write(std::to_string(n) + "\n");
  sort.close_input();
  std::string expected;
  for (int n = 1000; n <= 9999; ++n) expected += std::to_string(n) + "\n";
  EXPECT_EQ(sort.read_all(), expected);
  EXPECT_TRUE(sort.wait().success());
}

TEST_P(Stdin, ClosingTheInputTwiceIsTheSameAsOnce) {  // S4
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  cat.write("all of it\n");
  cat.close_input();
  cat.close_input();
  EXPECT_EQ(cat.read_all(), "all of it\n");
  EXPECT_TRUE(cat.wait().success());
  cat.close_input();
}

TEST_P(Stdin, WhatIsQueuedIsWrittenBeforeTheInputIsClosed) {  // S4
  EngineFixture host;
  Progress progress;
  Running reader = host.spawn(child("check_pattern", progress.path()).in(nr::Stdio::pipe().window(1 * MiB)));
  reader.write(pattern(500'000));  // More than the pipe takes: the rest waits in the queue.
  std::thread closer([&] { reader.close_input(); });
  EXPECT_TRUE(remains([&] { return progress.bytes() == 0; }, 50ms));
  progress.go();
  EXPECT_EQ(reader.read_all(), "500000 right\n");
  closer.join();
}

/// One permutation of who closes what when, by chance; always `exit 3` in the end.
nr::Task<bool> ends_with_three(nr::Engine& engine, std::uint32_t chance) {
  const char* script = chance % 2 == 0 ? "exec >&-; sleep 0.02; exit 3" : "exec <&- >&- 2>&-; sleep .05; exit 3";
  const nr::Command command = sh(script).in(nr::Stdio::pipe()).err(nr::Stdio::pipe());
  auto process = co_await engine.spawn(command);
  if (!process) co_return false;
  for (int step = 0; step < 4; ++step) {
    chance = chance * 1664525u + 1013904223u;
    switch (chance >> 29) {
      case 0: (void)co_await process->close_input(); break;
      case 1: (void)co_await process->close_output(nr::Stream::out); break;
      case 2: (void)co_await process->close_output(nr::Stream::err); break;
      case 3: (void)co_await process->read(nr::Stream::out); break;
      case 4: (void)co_await process->write("x"); break;
      case 5: (void)co_await process->exited(); break;
      case 6: (void)co_await process->drained(); break;
      default: break;
    }
  }
  auto ended = co_await process->wait();
  co_return ended && exit_code(*ended) == 3 && ended->reason == nr::EndReason::exited;
}

TEST(StdinCrowd, EveryOrderOfClosesGivesTheSameResult) {  // S2
  EngineFixture host;
  const std::uint32_t seed = std::random_device()();
  std::atomic<std::size_t> right = 0;
  const std::size_t count = scaled(5'000, 100);
  crowd(*host, count, 64, [&](std::size_t n) -> nr::Task<void> {
    right += co_await ends_with_three(*host, seed + static_cast<std::uint32_t>(n) * 2654435761u);
  });
  EXPECT_EQ(right.load(), count) << "seed " << seed;
}

TEST(StdinPipes, AreRealOnesThatCanBeOpenedAgain) {  // S3
  EngineFixture host;
  const nr::Completed completed =
      host.run(sh("echo a >/dev/stderr; cat /dev/stdin >/dev/stdout").input("through\n"));
  EXPECT_EQ(completed.err.head, "a\n");
  EXPECT_EQ(completed.out.head, "through\n");
  const nr::Completed kinds = host.run(sh("for n in 0 1 2; do stat -L -c %F /proc/self/fd/$n; done").input("x"));
  EXPECT_EQ(kinds.out.head, "fifo\nfifo\nfifo\n");
}

TEST_P(Stdin, ByDefaultThereIsNoInputAndTheHostsOwnIsLeftAlone) {  // S4, S5
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(write(ends[1], "a\nb\nc\n", 6), 6);
  const int kept = fcntl(0, F_DUPFD_CLOEXEC, 10);
  dup2(ends[0], 0);
  {
    EngineFixture host;
    EXPECT_EQ(host.run(nr::Command("cat")).out.head, "");
    EXPECT_EQ(host.run(sh("read x; echo got:$?")).out.head, "got:1\n");
    EXPECT_EQ(host.run(nr::Command("readlink", "/proc/self/fd/0")).out.head, "/dev/null\n");
    char text[8];
    EXPECT_EQ(read(0, text, sizeof text), 6) << "nobody took the host's input";
  }
  kept >= 0 ? dup2(kept, 0) : close(0);
  if (kept >= 0) close(kept);
  close(ends[0]);
  close(ends[1]);
}

TEST_P(Stdin, WaitingClosesAnInputThatNobodyWroteTo) {  // S6
  EngineFixture host;
  const Stopwatch watch;
  EXPECT_TRUE(host.spawn(nr::Command("cat").in(nr::Stdio::pipe())).wait().success());
  EXPECT_LT(watch.elapsed(), patience(15s));
}

TEST_P(Stdin, WaitingLeavesAnInputOpenThatSomebodyWroteTo) {  // S6
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  cat.write("mine");
  const auto early = nr::blocking::get(cat.process().wait(), nr::Deadline::after(300ms));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, nr::ErrorCode::timed_out);
  cat.write(" still");
  cat.close_input();
  EXPECT_EQ(cat.read_all(), "mine still");
  EXPECT_TRUE(cat.wait().success());
}

TEST_P(Stdin, AWriterAwaitsRoomAndTheQueueIsBounded) {
  EngineFixture host({.shards = 1, .pipe_bytes = 64 * KiB});
  Progress progress;
  Running reader = host.spawn(child("check_pattern", progress.path()).in(nr::Stdio::pipe().window(16 * KiB)));
  const std::string input = pattern(1'000'000);
  std::atomic<std::size_t> accepted = 0;
  std::thread writer([&] {
    for (std::size_t at = 0; at < input.size(); at += 1000) {
      reader.write(std::string_view(input).substr(at, 1000));
      accepted += 1000;
    }
    reader.close_input();
  });
  EXPECT_TRUE(eventually([&] { return accepted >= 64'000; }));
  EXPECT_TRUE(remains([&] { return accepted <= 16 * KiB + carried_bytes_max(); })) << accepted;
  progress.go();
  EXPECT_EQ(reader.read_all(), "1000000 right\n");
  writer.join();
}

TEST_P(Stdin, AWriteThatTimesOutLosesNothingThatItHadHandedOver) {
  EngineFixture host({.shards = 1, .pipe_bytes = 64 * KiB});
  Progress progress;
  Running reader = host.spawn(child("check_pattern", progress.path()).in(nr::Stdio::pipe().window(4 * KiB)));
  const std::string input = pattern(1'000'000);
  const auto written = nr::blocking::get(reader.process().write(input), nr::Deadline::after(200ms));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, nr::ErrorCode::timed_out);
  progress.go();
  reader.close_input();
  const std::string answer = reader.read_all();
  EXPECT_NE(answer.find(" right\n"), std::string::npos) << answer;
  EXPECT_GE(std::stoul(answer), 64 * KiB) << "what was accepted arrives";
}

TEST_P(Stdin, TwoWritersAtOnceAreToldSo) {
  EngineFixture host({.shards = 1});
  Running deaf = host.spawn(child("deaf").in(nr::Stdio::pipe()));
  EXPECT_EQ(deaf.read_exactly(5), "deaf\n");
  const std::string much(1'000'000, 'i');
  std::atomic<bool> failed = false;
  std::thread first([&] {
    const auto written = nr::blocking::get(deaf.process().write(much), nr::Deadline::after(patience(20s)));
    failed = !written.has_value() && written.error().code != nr::ErrorCode::timed_out;
  });
  EXPECT_TRUE(eventually([&] { return deaf.stream_stats(nr::Stream::in).bytes > 0; }));
  const auto second = nr::blocking::get(deaf.process().write("x"), verb_deadline());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, nr::ErrorCode::stream_busy);
  deaf.process().kill();
  first.join();
  EXPECT_TRUE(failed) << "its reader is dead: the writer was told";
}

TEST_P(Stdin, InputThatFitsThePipeIsThereBeforeTheCommandRuns) {
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(300, 20); ++round) {
    for (const std::size_t size : {0uz, 1uz, 4096uz, 65536uz}) {
      const nr::Completed completed = host.run(child("read_at_once").input(std::string(size, 'i')));
      ASSERT_EQ(completed.out.head, std::to_string(size) + " eof\n");
    }
  }
}

TEST_P(Stdin, InputThatDoesNotFitThePipeComesInOrder) {
  EngineFixture host;
  const nr::Completed completed = host.run(child("check_pattern").input(pattern(10'000'000)));
  EXPECT_EQ(completed.out.head, "10000000 right\n");
  const nr::StreamSummary* in = completed.ended.stream(nr::Stream::in);
  ASSERT_NE(in, nullptr);
  EXPECT_EQ(in->bytes, 10'000'000u);
  EXPECT_EQ(in->dropped_bytes, 0u);
}

TEST_P(Stdin, AConversationByteByByte) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  for (std::size_t n = 0; n < scaled(5'000, 200); ++n) {
    const std::string byte(1, pattern_at(n));
    cat.write(byte);
    ASSERT_EQ(cat.read_text(), byte);
  }
  cat.close_input();
  EXPECT_EQ(cat.read_all(), "");
}

}  // namespace
}  // namespace tests
