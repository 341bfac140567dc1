/// Waiting for all of several, for the first of several, and for one until a deadline; nobody's bytes are lost by it.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

nr::Task<int> seven() { co_return 7; }
nr::Task<void> nothing() { co_return; }

TEST(WhenAll, GivesAllValuesWhateverTheyAre) {
  EngineFixture host;
  const auto all = [&]() -> nr::Task<std::string> {
    auto [completed, number, none, slept] =
        co_await nr::when_all(host->capture(nr::Command("echo", "word")), seven(), nothing(), host->sleep(1ms));
    static_assert(std::is_same_v<decltype(none), std::monostate>);
    co_return completed->out.head + std::to_string(number) + (slept ? " slept" : "");
  };
  EXPECT_EQ(host.get(all()), "word\n7 slept");
}

TEST(WhenAll, RunsThemSideBySide) {
  EngineFixture host;
  const std::size_t count = 50;
  const auto all = [&]() -> nr::Task<std::size_t> {
    std::vector<nr::Task<nr::Result<nr::Completed>>> commands;
    for (std::size_t i = 0; i < count; ++i) commands.push_back(host->capture(sh("sleep 1; exit " + std::to_string(i))));
    std::size_t right = 0;
    const auto results = co_await nr::when_all(std::move(commands));
    for (std::size_t i = 0; i < count; ++i) right += exit_code(results[i]->ended) == static_cast<int>(i) ? 1 : 0;
    co_return right;
  };
  const Stopwatch watch;
  EXPECT_EQ(host.get(all()), count) << "each value is in its own place";
  EXPECT_LT(watch.elapsed(), patience(25s)) << "one after the other takes 50 s";
}

TEST(WhenAll, OfNoneIsDoneAtOnce) {
  EngineFixture host;
  const auto none = []() -> nr::Task<std::size_t> {
    co_return (co_await nr::when_all(std::vector<nr::Task<int>>())).size();
  };
  EXPECT_EQ(host.get(none()), 0U);
}

TEST(WhenAny, TheFirstEndIsToldAndTheOthersGoOn) {
  EngineFixture host;  // Two shards: the commands are on both.
  std::vector<Running> commands;
  for (int i = 0; i < 6; ++i) commands.push_back(host.spawn(sh("exec sleep 600").ladder(nr::KillLadder::at_once())));
  const auto first = [&]() -> nr::Task<nr::FirstOfMany<nr::Ended>> {
    std::vector<nr::Awaitable<nr::Ended>> waits;
    for (Running& command : commands) waits.push_back(command.process().wait());
    co_return co_await nr::when_any(std::move(waits));
  };
  kill(commands[4].pid(), SIGTERM);
  const auto result = host.get(first());
  EXPECT_EQ(result.index, 4U);
  ASSERT_EQ(result.results.size(), 6U);
  EXPECT_EQ(end_signal(*result.results[4]), SIGTERM);
  for (const std::size_t other : {0, 1, 2, 3, 5}) {
    ASSERT_FALSE(result.results[other]);
    EXPECT_EQ(result.results[other].error().code, nr::ErrorCode::cancelled);
    EXPECT_TRUE(is_running(commands[other].pid()));
  }
  commands[0].process().kill();
  EXPECT_EQ(end_signal(commands[0].wait()), SIGKILL) << "it can be awaited again";
}

TEST(WhenAny, ARepeatedRaceOfReadersLosesNoByte) {
  EngineFixture host;
  Running a = host.spawn(sh("i=0; while [ $i -lt 400 ]; do echo aaaaaaaaa; i=$((i+1)); done"));
  Running b = host.spawn(sh("i=0; while [ $i -lt 400 ]; do echo bbbbbbbbb; i=$((i+1)); done"));
  const auto race = [&]() -> nr::Task<std::pair<std::size_t, std::size_t>> {
    std::size_t as = 0, bs = 0;
    bool a_over = false, b_over = false;
    while (!a_over || !b_over) {
      auto [index, results] = co_await nr::when_any(a.process().read(), b.process().read());
      auto& [from_a, from_b] = results;
      if (from_a && *from_a) as += (*from_a)->size();
      if (from_b && *from_b) bs += (*from_b)->size();
      a_over = a_over || (from_a && !*from_a);
      b_over = b_over || (from_b && !*from_b);
      if (a_over || b_over) break;
    }
    while (!a_over) {
      const auto chunk = co_await a.process().read();
      a_over = !chunk || !*chunk;
      if (!a_over) as += (*chunk)->size();
    }
    while (!b_over) {
      const auto chunk = co_await b.process().read();
      b_over = !chunk || !*chunk;
      if (!b_over) bs += (*chunk)->size();
    }
    co_return std::pair(as, bs);
  };
  const auto [as, bs] = host.get(race());
  EXPECT_EQ(as, 4000U);
  EXPECT_EQ(bs, 4000U);
}

TEST(WhenAny, AVerbThatIsRefusedAtOnceIsFirst) {
  EngineFixture host;
  Running command = host.spawn(sh("exec sleep 600"));
  const auto first = [&]() -> nr::Task<std::size_t> {
    co_return (co_await nr::when_any(command.process().wait(), host->spawn(nr::Command("")))).index;
  };
  EXPECT_EQ(host.get(first()), 1U);
  command.process().kill();
}

TEST(WhenAny, WinnersOfBothShardsNeverWaitForOneAnother) {
  EngineFixture host;
  const std::size_t rounds = scaled(2000, 100);
  const auto many = [&](std::uint32_t shard) -> nr::Task<std::size_t> {
    std::size_t over = 0;
    value_of(co_await host->hop(shard));
    for (std::size_t i = 0; i < rounds; ++i) {
      // Two timers of each shard that are due at the same time.
      auto here = host->sleep(20us), there = host->sleep(20us);
      there.shard = 1 - shard;
      over += (co_await nr::when_any(std::move(here), std::move(there))).index < 2 ? 1 : 0;
    }
    co_return over;
  };
  const auto both = [&]() -> nr::Task<std::size_t> {
    auto [a, b] = co_await nr::when_all(many(0), many(1));
    co_return a + b;
  };
  EXPECT_EQ(host.get(both()), 2 * rounds);
}

TEST(WithDeadline, PastItTheVerbIsTakenBackAndTheCommandIsNotTouched) {
  EngineFixture host;
  Running command = host.spawn(sh("read x; echo $x").in(nr::Stdio::pipe()));
  const auto late = [&]() -> nr::Task<nr::ErrorCode> {
    co_return (co_await nr::with_deadline(command.process().read(), nr::Deadline::after(30ms))).error().code;
  };
  EXPECT_EQ(host.get(late()), nr::ErrorCode::timed_out);
  EXPECT_TRUE(is_running(command.pid()));
  command.write("word\n");
  const auto in_time = [&]() -> nr::Task<std::string> {
    const auto chunk = co_await nr::with_deadline(command.process().read(), nr::Deadline::after(600s));
    co_return chunk && *chunk ? std::string((*chunk)->text()) : "nothing";
  };
  EXPECT_EQ(host.get(in_time()), "word\n");
  EXPECT_TRUE(command.wait().success());
}

TEST(Sleep, IsOverWhenItsTimeIsAndEndsWithItsEngine) {
  nr::Task<nr::Result<void>> (*const sleep)(nr::Engine&, nr::Nanoseconds) =
      [](nr::Engine& engine, nr::Nanoseconds duration) -> nr::Task<nr::Result<void>> {
    co_return co_await engine.sleep(duration);
  };
  EngineFixture host;
  const Stopwatch watch;
  EXPECT_TRUE(host.get(sleep(*host, 50ms)));
  EXPECT_GE(watch.elapsed(), 50ms);
  const nr::Result<void> given_up = nr::blocking::get(host->sleep(600s), nr::Deadline::after(20ms));
  EXPECT_EQ(given_up.error().code, nr::ErrorCode::timed_out);
  nr::ErrorCode code{};
  std::thread sleeper([&] { code = nr::blocking::get(host->sleep(600s)).error().code; });
  EXPECT_TRUE(remains([&] { return code == nr::ErrorCode{}; }, 50ms));
  (void)host->close();
  sleeper.join();
  EXPECT_EQ(code, nr::ErrorCode::engine_closed);
}

TEST(Sleep, WorksInAForeignLoop) {
  nr::EngineOptions options;
  options.threads = nr::Threads::foreign;
  EngineFixture host{options};
  const auto race = [&]() -> nr::Task<std::size_t> {
    co_return (co_await nr::when_any(host->sleep(600s), host->sleep(20ms), host->sleep(700s))).index;
  };
  EXPECT_EQ(host.get(race()), 1U);
}

}  // namespace
}  // namespace tests
