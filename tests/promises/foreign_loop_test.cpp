/// The engine without threads of its own, driven by the user's loop: event_fd() and turn(). The same promises.

#include <csignal>
#include <gtest/gtest.h>
#include <optional>
#include <poll.h>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/progress.hpp"

namespace tests {
namespace {

nr::EngineOptions foreign(nr::EngineOptions options = {}) {
  options.shards = 1;
  options.threads = nr::Threads::foreign;
  return options;
}

/// A user's own loop: poll(2) on event_fd, then a turn. Counts its rounds.
struct PollLoop {
  nr::Engine& engine;
  int rounds = 0;

  template <std::predicate Predicate>
  [[nodiscard]] bool run_until(Predicate holds, nr::Nanoseconds limit = 20s) {
    const Stopwatch watch;
    engine.turn();
    while (!holds()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience(limit) - watch.elapsed());
      pollfd readable{engine.event_fd(), POLLIN, 0};
      if (left <= 0ms || poll(&readable, 1, static_cast<int>(left.count())) == 0) return false;
      engine.turn();
      ++rounds;
    }
    return true;
  }
};

TEST(ForeignLoop, AWholeRunNeedsNothingButEventFdAndTurn) {
  EngineFixture host(foreign());
  std::optional<nr::Result<nr::Completed>> result;
  nr::start_detached([](nr::Engine& engine, auto& out) -> nr::Task<void> {
    out.emplace(co_await engine.capture(sh("cat; sleep 0.3; echo err >&2; exit 4").input("in\n")));
  }(*host, result));
  PollLoop loop{*host};
  ASSERT_TRUE(loop.run_until([&] { return result.has_value(); }));
  ASSERT_TRUE(result->has_value()) << result->error().message();
  EXPECT_EQ((*result)->out.head, "in\n");
  EXPECT_EQ((*result)->err.head, "err\n");
  EXPECT_EQ(exit_code((*result)->ended), 4);
  EXPECT_LT(loop.rounds, 500) << "readable means that there is something to do";
}

TEST(ForeignLoop, ItHasNoThreadOfItsOwn) {
  const std::size_t before = own_threads();
  EngineFixture host(foreign());
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  cat.write("x");
  EXPECT_EQ(cat.read_text(), "x");
  EXPECT_EQ(own_threads(), before);
}

TEST(ForeignLoop, ADeadlineMakesItReadableAtOnce) {
  EngineFixture host(foreign());
  PollLoop loop{*host};
  const Stopwatch watch;
  for (int n = 0; n < 20; ++n) {  // Two seconds in all, where nothing waits for some other event.
    std::optional<nr::Result<nr::Completed>> result;
    nr::start_detached([](nr::Engine& engine, auto& out) -> nr::Task<void> {
      out.emplace(co_await engine.capture(nr::Command("sleep", "600").deadline(patience(100ms))));
    }(*host, result));
    ASSERT_TRUE(loop.run_until([&] { return result.has_value(); }));
    EXPECT_TRUE(ended_or_failed(*result, nr::EndReason::deadline, nr::ErrorCode::timed_out)) << to_string(*result);
  }
  EXPECT_LT(watch.elapsed(), patience(12s));
  EXPECT_LT(loop.rounds, 4'000);
}

TEST(ForeignLoop, AnIdleEngineIsNotReadable) {
  EngineFixture host(foreign());
  Running sleeper = host.spawn(nr::Command("sleep", "600"));
  host->turn();
  EXPECT_TRUE(eventually([&] {  // What was on its way is done; then it stays silent.
    host->turn();
    pollfd readable{host->event_fd(), POLLIN, 0};
    return poll(&readable, 1, 200) == 0;
  }));
}

TEST(ForeignLoop, WhatIsDoneBetweenTwoTurnsMakesItReadableAtOnce) {
  EngineFixture host(foreign());
  Running flood = host.spawn(sh("yes").out(nr::Stdio::pipe().window(4 * KiB)));
  const auto is_readable = [&](int wait_ms) {
    pollfd readable{host->event_fd(), POLLIN, 0};
    return poll(&readable, 1, wait_ms) == 1;
  };
  const auto settles = [&] {
    const auto full = eventually([&] {
      host->turn();
      return flood.held_bytes() == 4 * KiB;
    });
    return full && eventually([&] {
      host->turn();
      return !is_readable(100);
    });
  };
  std::optional<nr::Chunk> chunk = flood.read();
  ASSERT_TRUE(settles());
  chunk.reset();
  EXPECT_TRUE(is_readable(0)) << "credit came back, and the next read is to be queued";
  ASSERT_TRUE(settles());
  flood.process().kill();
  EXPECT_TRUE(is_readable(0)) << "the order waits for the next turn";
}

TEST(ForeignLoop, AChunkDroppedBetweenTwoTurnsMayServeABrokenPipe) {  // A SIGPIPE would end this host.
  nr::EngineOptions options;
  options.shard_budget_bytes = 64 * KiB;
  EngineFixture host(foreign(options));
  Running shut = host.spawn(sh("exec 0<&-; echo shut; exec sleep 1000").in(nr::Stdio::pipe()));
  EXPECT_EQ(shut.read_text(), "shut\n");
  std::vector<Running> echoes;
  std::vector<nr::Chunk> held;
  for (bool all_held = false; !all_held;) {
    echoes.push_back(host.spawn(nr::Command("echo", "hello")));
    auto read = nr::blocking::get(echoes.back().process().read(), nr::Deadline::after(200ms));
    if (read && *read) held.push_back(**std::move(read));
    all_held = !read && host.shard_stats().parked > 0;
  }
  const std::uint64_t before = host.shard_stats().parked;
  std::optional<nr::Result<void>> written;
  nr::start_detached([](nr::Process& to, auto& out) -> nr::Task<void> {
    out.emplace(co_await to.write("text"));
  }(shut.process(), written));
  ASSERT_EQ(host.shard_stats().parked, before + 1) << "the writer waits for a chunk";
  held.clear();
  PollLoop loop{*host};
  ASSERT_TRUE(loop.run_until([&] { return written.has_value(); }));
  host->turn();
  const auto next = nr::blocking::get(shut.process().write("text"), verb_deadline());
  ASSERT_FALSE(next.has_value());
  EXPECT_EQ(next.error().code, nr::ErrorCode::broken_pipe);
}

TEST(ForeignLoop, TurnWaitsAsLongAsItMayAndNoLonger) {
  EngineFixture host(foreign());
  Running sleeper = host.spawn(nr::Command("sleep", "600"));
  const Stopwatch watch;
  for (int n = 0; n < 5; ++n) host->turn(50ms);
  EXPECT_LT(watch.elapsed(), patience(10s));
  const Stopwatch at_once;
  for (int n = 0; n < 100; ++n) host->turn();
  EXPECT_LT(at_once.elapsed(), patience(5s));
}

TEST(ForeignLoop, WindowsAreExactHereToo) {
  nr::EngineOptions options;
  options.pipe_bytes = 64 * KiB;
  EngineFixture host(foreign(options));
  for (const std::uint64_t window : {1_KiB / 1024, 4 * KiB, 64 * KiB}) {
    Progress progress;
    Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(window)));
    const auto held = [&] {
      host->turn(1ms);  // Figures need no turn, the bytes do.
      return flood.held_bytes();
    };
    EXPECT_TRUE(eventually([&] { return held() == window; })) << flood.held_bytes();
    EXPECT_TRUE(eventually([&] { return progress.waited() > 0; }));
    EXPECT_TRUE(remains([&] { return progress.bytes() <= window + 64 * KiB && held() == window; }, 100ms));
    EXPECT_EQ(flood.read_exactly(5'000), pattern(5'000));
  }
}

TEST(ForeignLoop, InputOutputAndAllThreeFactsWork) {
  EngineFixture host(foreign());
  Running reader = host.spawn(child("check_pattern").in(nr::Stdio::pipe()));
  reader.write(pattern(1'000'000));
  reader.close_input();
  EXPECT_EQ(reader.read_all(), "1000000 right\n");
  EXPECT_EQ(exit_code(reader.exited()), 0);
  reader.drained();
  EXPECT_TRUE(reader.wait().success());
}

TEST(ForeignLoop, AVerbThatTimesOutLeavesTheCommandAlone) {
  EngineFixture host(foreign());
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  const auto read = nr::blocking::get(cat.process().read(), nr::Deadline::after(50ms));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, nr::ErrorCode::timed_out);
  cat.write("later");
  EXPECT_EQ(cat.read_text(), "later");
}

TEST(ForeignLoop, PipelinesWork) {
  EngineFixture host(foreign());
  const auto completed = value_of(host.get(host->capture(
      nr::Pipeline(nr::Command("yes"), nr::Command("head", "-n", "10000"), nr::Command("wc", "-l")))));
  EXPECT_EQ(completed.out.head, "10000\n");
  EXPECT_TRUE(completed.success());
}

TEST(ForeignLoop, ChunksAndHandlesMayBeDroppedInOtherThreads) {
  nr::EngineOptions options;
  options.window_bytes = 4 * KiB;
  EngineFixture host(foreign(options));
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()));
  for (std::uint64_t taken = 0; taken < 300'000;) {
    std::optional<nr::Chunk> chunk = flood.read();
    taken += chunk->size();
    std::thread([dropped = *std::move(chunk)] {}).join();
  }
  const pid_t pid = flood.pid();
  std::thread([dropped = flood.take()] {}).join();
  PollLoop loop{*host};
  EXPECT_TRUE(loop.run_until([&] { return process_state(pid) == '-'; })) << "a drop elsewhere wakes the loop";
}

TEST(ForeignLoop, ManyCommandsAtOnce) {
  EngineFixture host(foreign());
  std::size_t right = 0;  // One thread only: nothing to guard.
  const std::size_t count = scaled(2'000, 100);
  crowd(*host, count, 64, [&](std::size_t n) -> nr::Task<void> {
    auto completed = co_await host->capture(nr::Command("echo", std::to_string(n)));
    right += completed && completed->out.head == std::to_string(n) + "\n";
  });
  EXPECT_EQ(right, count);
}

TEST(ForeignLoop, ClosingItWithNothingRunningWaitsForNothing) {
  nr::EngineOptions options;
  options.close_max = 600s;
  const Stopwatch watch;
  {
    EngineFixture host(foreign(options));
    EXPECT_EQ(value_of(host.get(host->capture(nr::Command("echo", "a")))).out.head, "a\n");
  }
  EXPECT_LT(watch.elapsed(), patience(15s));
}

TEST(ForeignLoop, AnotherThreadThanItsOwnMayNotCloseItAndIsToldSo) {
  EngineFixture host(foreign());
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  nr::CloseReport report;
  std::thread([&] { report = host->close(); }).join();
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, nr::ErrorCode::invalid_argument);
  EXPECT_EQ(report.error->sys_errno, EPERM);
  EXPECT_FALSE(report.complete);
  cat.write("on");
  EXPECT_EQ(cat.read_text(), "on");
  EXPECT_EQ(host->close().stopped, 1U);
}

TEST(ForeignLoop, ACoroutineThatItResumesMayOwnItAndEnd) {
  nr::Engine* engine = nullptr;
  bool over = false;
  auto opened = value_of(nr::Engine::open(foreign()));
  [](nr::Engine owned, nr::Engine*& here, bool& ended) -> nr::detail::Detached {
    here = &owned;
    const auto echo = co_await owned.capture(nr::Command("echo", "text"));
    ended = echo && echo->out.head == "text\n";
  }(std::move(opened), engine, over);
  const Stopwatch watch;
  while (!over && watch.elapsed() < patience(20s)) engine->turn(10ms);
  EXPECT_TRUE(over);
}

TEST(ForeignLoop, DestroyedInAnotherThreadItEndsItsCommandsAndTheHostGoesOn) {
  EXPECT_TRUE(host_succeeds("deserting_host"));
}

TEST(ForeignLoop, ClosingItWithCommandsRunningLeavesNothing) {
  EngineFixture host(foreign());
  std::vector<Running> sleepers;
  for (int n = 0; n < 20; ++n) sleepers.push_back(host.spawn(nr::Command("sleep", "600")));
  const nr::CloseReport report = host->close();
  EXPECT_EQ(report.stopped, 20u);
  EXPECT_TRUE(report.complete);
  EXPECT_TRUE(eventually([] { return processes_with_environment(current_mark()).empty(); }));
  EXPECT_EQ(end_signal(sleepers[0].wait()), SIGTERM);
}

}  // namespace
}  // namespace tests
