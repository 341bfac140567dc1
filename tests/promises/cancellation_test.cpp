/// Dropping is stopping: a coroutine destroyed at any of its suspension points, a handle dropped in any thread, a stop
/// token triggered at any time, a verb withdrawn: nothing is left running, and nothing is lost for those who go on.

#include <atomic>
#include <coroutine>
#include <csignal>
#include <exception>
#include <gtest/gtest.h>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/child.hpp"
#include "tests/support/crowd.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

/// A coroutine that frees itself at its end, unless it is destroyed where it is suspended.
struct Victim {
  struct promise_type {
    [[nodiscard]] Victim get_return_object() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
    [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

enum class When {
  at_once,         ///< As soon as the verb was handed over.
  after_the_turn,  ///< Wherever it stands when the turn that reached the fatal point is over.
};

/// What becomes of a Victim: its suspension points are counted, and at the fatal one it is destroyed.
struct Fate {
  int fatal_point;
  When when;
  int points = 0;
  std::atomic<bool> over = false;
  std::atomic<void*> suspended = nullptr;  ///< The coroutine, at its latest point.
};

/// `co_await at(fate, verb)`: the verb, and a suspension point that counts. It holds references only: g++ 12 copies an
/// aggregate that is awaited, byte by byte.
template <class T>
struct At {
  Fate& fate;
  nr::Awaitable<T>& verb;

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> suspended) {
    Fate& its_fate = fate;  // The frame, and this with it, may be gone below.
    its_fate.suspended = suspended.address();
    const bool fatal = ++its_fate.points == its_fate.fatal_point && its_fate.when == When::at_once;
    if (!verb.await_suspend(suspended)) return false;
    if (fatal) {
      suspended.destroy();
      its_fate.over = true;
    }
    return true;
  }
  [[nodiscard]] nr::Result<T> await_resume() { return verb.await_resume(); }
};
template <class T>
[[nodiscard]] At<T> at(Fate& fate, nr::Awaitable<T>&& verb) {
  return {fate, verb};
}

/// Suspends in every verb there is, from the start to the last fact. On shard 0's thread where that isn't this one.
Victim consume(nr::Engine& engine, Fate& fate, nr::Threads threads) {
  if (threads == nr::Threads::own) (void)co_await engine.hop(0);
  (void)co_await at(fate, engine.hop(0));
  const nr::Command command = sh("cat >&2; sleep 0.02; echo end").in(nr::Stdio::pipe()).err(nr::Stdio::pipe());
  auto process = co_await at(fate, engine.spawn(command));
  if (process) {
    const std::string text = "text";
    (void)co_await at(fate, process->stats());
    (void)co_await at(fate, process->write(text));
    (void)co_await at(fate, process->signal(SIGCONT));
    (void)co_await at(fate, process->close_input());
    auto first = co_await at(fate, process->read(nr::Stream::err));
    auto second = co_await at(fate, process->read(nr::Stream::out));
    (void)co_await at(fate, process->exited());
    (void)co_await at(fate, process->drained());
    (void)co_await at(fate, process->close_output());
    (void)co_await at(fate, process->wait());
  }
  fate.over = true;
}

bool is_quiet(EngineFixture& host, nr::Threads threads = nr::Threads::own) {
  if (threads == nr::Threads::foreign) host->turn(1ms);
  return host.get(host->stats()).running() == 0 && processes_with_environment(current_mark()).empty();
}

nr::EngineOptions one_shard(nr::Threads threads) {
  nr::EngineOptions options;
  options.shards = 1;
  options.threads = threads;
  return options;
}

/// Runs it once for each suspension point that it has, destroyed there; the last run lives to its end.
void destroy_at_every_point(nr::Threads threads, When when) {
  EngineFixture host(one_shard(threads));
  int points = 0;
  for (int fatal_point = 1; points >= fatal_point - 1; ++fatal_point) {
    Fate fate{.fatal_point = fatal_point, .when = when};
    consume(*host, fate, threads);
    ASSERT_TRUE(eventually([&] {
      if (threads == nr::Threads::foreign) host->turn(1ms);
      if (when == When::after_the_turn && !fate.over && fate.points >= fatal_point) {
        std::coroutine_handle<>::from_address(fate.suspended).destroy();
        fate.over = true;
      }
      return fate.over.load();
    })) << "point " << fatal_point;
    points = fate.points;
    ASSERT_TRUE(eventually([&] { return is_quiet(host, threads); })) << "point " << fatal_point;
  }
  EXPECT_EQ(points, 12) << "it came to its end in the last run";
  EXPECT_EQ(value_of(host.get(host->capture(nr::Command("echo", "on")))).out.head, "on\n") << "the engine goes on";
}

TEST(Cancellation, AConsumerDestroyedAtAnyPointOnTheForeignLoopLeavesNothing) {
  destroy_at_every_point(nr::Threads::foreign, When::at_once);
}
TEST(Cancellation, AConsumerDestroyedBetweenTurnsOfTheForeignLoopLeavesNothing) {
  destroy_at_every_point(nr::Threads::foreign, When::after_the_turn);
}
TEST(Cancellation, AConsumerDestroyedAtAnyPointOnTheShardsThreadLeavesNothing) {
  destroy_at_every_point(nr::Threads::own, When::at_once);
}

enum class Pending { write, close_input, read, exited, drained, wait };

/// Comes to a verb that waits for ever, and stays there.
Victim wait_for_ever(nr::Engine& engine, Fate& fate, Pending verb) {
  const nr::Command deaf = child("deaf").in(nr::Stdio::pipe().window(1 * MiB)).ladder(nr::KillLadder::at_once());
  auto process = co_await engine.spawn(deaf);
  if (!process) co_return;
  auto ready = co_await process->read(nr::Stream::out, 5);
  const std::string much(verb == Pending::write ? 3'000'000 : 500'000, 'i');  // More than the queue, or than the pipe.
  if (verb == Pending::close_input) (void)co_await process->write(much);
  switch (verb) {
    case Pending::write: (void)co_await at(fate, process->write(much)); break;
    case Pending::close_input: (void)co_await at(fate, process->close_input()); break;
    case Pending::read: (void)co_await at(fate, process->read()); break;
    case Pending::exited: (void)co_await at(fate, process->exited()); break;
    case Pending::drained: (void)co_await at(fate, process->drained()); break;
    case Pending::wait: (void)co_await at(fate, process->wait()); break;
  }
  ADD_FAILURE() << "it did not wait";
}

void destroy_while_it_waits(nr::Threads threads) {
  EngineFixture host(one_shard(threads));
  for (const Pending verb : {Pending::write, Pending::close_input, Pending::read, Pending::exited, Pending::drained,
                             Pending::wait}) {
    Fate fate{.fatal_point = 0, .when = When::after_the_turn};
    wait_for_ever(*host, fate, verb);
    const auto turn = [&] {
      if (threads == nr::Threads::foreign) host->turn(1ms);
    };
    ASSERT_TRUE(eventually([&] { return turn(), fate.suspended != nullptr; }));
    EXPECT_TRUE(remains([&] { return turn(), processes_with_environment(current_mark()).size() == 1; }, 100ms));
    if (threads == nr::Threads::own) (void)host.shard_stats();  // What the shard did happened before what follows.
    std::coroutine_handle<>::from_address(fate.suspended).destroy();  // Nothing resumes it: its child is deaf.
    ASSERT_TRUE(eventually([&] { return is_quiet(host, threads); })) << "verb " << static_cast<int>(verb);
  }
}

TEST(Cancellation, AVerbDestroyedWhileItWaitsOnTheForeignLoopLeavesNothing) {
  destroy_while_it_waits(nr::Threads::foreign);
}
TEST(Cancellation, AVerbDestroyedWhileItWaitsFromAnotherThreadLeavesNothing) {
  destroy_while_it_waits(nr::Threads::own);
}

TEST(Cancellation, ATaskThatIsDroppedStopsWhatItRan) {
  EngineFixture host(one_shard(nr::Threads::foreign));
  {
    nr::Task<nr::Result<nr::Completed>> task = host->capture(nr::Command("sleep", "600"));
    const auto victim = [](nr::Task<nr::Result<nr::Completed>>& awaited) -> nr::Task<void> {
      (void)co_await awaited;
    };
    nr::Task<void> outer = victim(task);
    // Started by hand, as a scheduler would; both are destroyed at the end of this block.
    outer.await_suspend(std::noop_coroutine()).resume();
    EXPECT_TRUE(eventually([&] {
      host->turn(1ms);
      return processes_with_environment(current_mark()).size() == 1;
    }));
  }
  EXPECT_TRUE(eventually([&] { return is_quiet(host, nr::Threads::foreign); }));
}

TEST(Cancellation, AHandleDroppedInAnyThreadStopsItsCommand) {
  EngineFixture host({.shards = 2});
  const std::size_t count = scaled(500, 20);
  for (std::size_t n = 0; n < count; ++n) {
    Running sleeper = host.spawn(nr::Command("sleep", "600"));
    if (n % 2 == 0) std::thread([dropped = sleeper.take()] {}).join();
  }
  crowd(*host, count, 10, [&](std::size_t n) -> nr::Task<void> {
    auto process = co_await host->spawn(nr::Command("sleep", "600"));
    EXPECT_TRUE(process.has_value());
    if (n % 2 == 0) (void)co_await host->hop(static_cast<std::uint32_t>(n / 2 % 2));  // Its own shard, or the other.
  });
  EXPECT_TRUE(eventually([&] { return is_quiet(host); }));
  std::uint64_t owner_gone = 0;
  for (const nr::ShardStats& shard : host.get(host->stats()).shards) {
    owner_gone += shard.ended_by_reason[static_cast<std::size_t>(nr::EndReason::owner_gone)];
  }
  EXPECT_EQ(owner_gone, 2 * count);
}

TEST(Cancellation, AStopTokenThatWasTriggeredBeforeStartsNothing) {
  EngineFixture host;
  std::stop_source stop;
  stop.request_stop();
  const auto started = nr::blocking::get(host->spawn(nr::Command("sleep", "600"), stop.get_token()), verb_deadline());
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, nr::ErrorCode::cancelled);
  EXPECT_TRUE(remains([] { return processes_with_environment(current_mark()).empty(); }, 50ms));
}

TEST(Cancellation, AStopTokenRunsTheLadder) {
  EngineFixture host;
  std::stop_source stop;
  Running shell(value_of(nr::blocking::get(
      host->spawn(sh("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done"), stop.get_token()),
      verb_deadline())));
  EXPECT_EQ(shell.read_exactly(6), "ready\n");
  stop.request_stop();
  EXPECT_EQ(shell.read_all(), "bye\n");
  const nr::Ended ended = shell.wait();
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
  EXPECT_EQ(exit_code(ended), 7);
}

TEST(Cancellation, AStopTokenMayBeTriggeredAtAnyTime) {
  EngineFixture host;
  std::atomic<std::size_t> right = 0;
  const std::size_t count = scaled(2'000, 100);
  for (std::size_t n = 0; n < count; ++n) {
    std::stop_source stop;
    std::thread stopper([&stop, n] {
      for (std::size_t spin = 0; spin < n * 37 % 2000; ++spin) std::this_thread::yield();
      stop.request_stop();
    });
    auto started = nr::blocking::get(host->spawn(nr::Command("sleep", "600"), stop.get_token()), verb_deadline());
    if (started) {
      const nr::Ended ended = Running(*std::move(started)).wait();
      right += ended.reason == nr::EndReason::stopped;
    } else {
      right += started.error().code == nr::ErrorCode::cancelled;
    }
    stopper.join();
  }
  EXPECT_EQ(right, count);
  EXPECT_TRUE(eventually([&] { return is_quiet(host); }));
}

TEST(Cancellation, AStopTokenThatComesAfterTheEndDoesNothing) {
  EngineFixture host;
  std::stop_source stop;
  {
    Running command(value_of(nr::blocking::get(host->spawn(nr::Command("true"), stop.get_token()), verb_deadline())));
    EXPECT_TRUE(command.wait().success());
    stop.request_stop();
    EXPECT_EQ(command.wait().reason, nr::EndReason::exited);
  }
  stop.request_stop();
}

TEST(Cancellation, ReadsWithdrawnAtAnyMomentLoseNothing) {  // U2
  EngineFixture host({.shards = 1});
  const std::size_t records = scaled(100'000, 3'000);
  Running writer = host.spawn(child("trickle", "0", std::to_string(records)));  // One every 50 µs or so.
  std::string expected, text;
  for (std::size_t n = 0; n < records; ++n) expected += std::to_string(n) + "\n";
  std::size_t withdrawn = 0;
  for (std::uint32_t chance = 1;; chance = chance * 1664525u + 1013904223u) {
    auto chunk = nr::blocking::get(writer.process().read(nr::Stream::out, 1 + (chance >> 24)),
                                   nr::Deadline::after(std::chrono::microseconds(chance >> 25)));
    if (!chunk) {
      ASSERT_EQ(chunk.error().code, nr::ErrorCode::timed_out);
      ++withdrawn;
    } else if (*chunk) {
      text += (*chunk)->text();
    } else {
      break;
    }
  }
  EXPECT_TRUE(text == expected) << text.size() << " of " << expected.size() << " bytes";
  EXPECT_GT(withdrawn, 0u);
}

TEST(Cancellation, ClosingTheEngineEndsVerbsUnderWay) {
  std::thread reader, waiter;
  std::atomic<int> right = 0;
  {
    EngineFixture host;
    auto sleeper = std::make_shared<Running>(host.spawn(nr::Command("sleep", "600")));
    reader = std::thread([&right, sleeper] {
      const auto read = nr::blocking::get(sleeper->process().read(), verb_deadline());
      right += (read && !*read) || (!read && read.error().code == nr::ErrorCode::engine_closed);
    });
    waiter = std::thread([&right, sleeper] { right += sleeper->wait().reason == nr::EndReason::stopped; });
    EXPECT_TRUE(remains([&] { return right == 0; }, 100ms));
    EXPECT_EQ(host->close().stopped, 1u);
  }
  reader.join();
  waiter.join();
  EXPECT_EQ(right, 2);
}

}  // namespace
}  // namespace tests
