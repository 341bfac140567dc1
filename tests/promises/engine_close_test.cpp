/// Engine::close says what it stopped, is bounded, and leaves handles and results usable.

#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/busy_shard.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

const nr::Command sleeper = nr::Command("sleep", "1000").out(nr::Stdio::null());
const std::string deaf_script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

template <class T>
void expect_closed(const nr::Result<T>& result) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, nr::ErrorCode::engine_closed) << result.error().message();
}

TEST(EngineClose, CountsWhatItStopped) {
  EngineFixture host;
  std::vector<Running> owned;
  for (int n = 0; n < 3; ++n) owned.push_back(host.spawn(sleeper));
  host.spawn(sleeper).take().detach();
  EXPECT_EQ(exit_code(host.run(nr::Command("true")).ended), 0);
  const nr::CloseReport report = host->close();
  EXPECT_EQ(report.stopped, 4U);
  EXPECT_EQ(report.detached, 1U);
  EXPECT_EQ(report.killed, 0U);
  EXPECT_TRUE(report.complete);
}

TEST(EngineClose, WithNothingRunningHasNothingToSay) {
  EngineFixture host;
  EXPECT_EQ(exit_code(host.run(nr::Command("true")).ended), 0);
  const nr::CloseReport report = host->close();
  EXPECT_EQ(report.stopped + report.detached + report.killed, 0U);
  EXPECT_TRUE(report.complete);
}

TEST(EngineClose, IsIdempotent) {
  EngineFixture host;
  const Running running = host.spawn(sleeper);
  EXPECT_EQ(host->close().stopped, 1U);
  EXPECT_TRUE(host->close().complete);
  EXPECT_TRUE(host->close().complete);
}

TEST(EngineClose, KillsWhatDoesNotEndInTime) {
  EngineFixture host({.shards = 1, .close_max = 400ms});
  Running deaf = host.spawn(sh(deaf_script).ladder({{SIGTERM, nr::Target::group, 600s}}));
  EXPECT_EQ(deaf.read_exactly(6), "ready\n");
  const Stopwatch watch;
  const nr::CloseReport report = host->close();
  EXPECT_GE(watch.elapsed(), 390ms);
  EXPECT_LT(watch.elapsed(), patience(15s));
  EXPECT_EQ(report.stopped, 1U);
  EXPECT_EQ(report.killed, 1U);
  EXPECT_TRUE(report.complete);
  const nr::Ended ended = deaf.wait();
  EXPECT_EQ(end_signal(ended), SIGKILL);
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
}

TEST(EngineClose, LetsALadderRunToItsEnd) {
  EngineFixture host;
  Running careful = host.spawn(sh("trap 'sleep 0.5; exit 4' TERM; echo ready; while :; do sleep 0.05; done"));
  EXPECT_EQ(careful.read_exactly(6), "ready\n");
  EXPECT_EQ(host->close().killed, 0U);
  EXPECT_EQ(exit_code(careful.wait()), 4);
}

TEST(EngineClose, AfterwardsVerbsSaySoAndWaitGivesTheResult) {
  EngineFixture host;
  Running ended = host.spawn(nr::Command::shell("exit 6").out(nr::Stdio::null()));
  EXPECT_EQ(exit_code(ended.wait()), 6);
  Running stopped = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  (void)host->close();

  expect_closed(nr::blocking::get(host->spawn(nr::Command("true")), verb_deadline()));
  expect_closed(host->run(nr::Command("true")));
  expect_closed(nr::blocking::get(stopped.process().write("x"), verb_deadline()));
  EXPECT_FALSE(nr::blocking::get(stopped.process().signal(SIGTERM), verb_deadline()));
  stopped.process().stop();
  EXPECT_EQ(exit_code(ended.wait()), 6);
  EXPECT_EQ(stopped.wait().reason, nr::EndReason::stopped);
  EXPECT_EQ(end_signal(stopped.exited()), SIGTERM);
}

TEST(EngineClose, HandlesAndChunksOutliveTheEngine) {
  std::optional<Running> running;
  std::optional<nr::Chunk> chunk;
  {
    EngineFixture host;
    running.emplace(host.spawn(nr::Command("cat").in(nr::Stdio::pipe())));
    running->write("kept for later");
    chunk = running->read();
  }
  ASSERT_TRUE(chunk);
  EXPECT_EQ(chunk->text(), "kept for later");
  EXPECT_EQ(running->wait().reason, nr::EndReason::stopped);
  expect_closed(nr::blocking::get(running->process().write("x"), verb_deadline()));
  running.reset();
  chunk.reset();
}

TEST(EngineClose, EndsVerbsUnderWay) {
  EngineFixture host;
  Running silent = host.spawn(nr::Command("sleep", "1000"));
  std::atomic<int> under_way{0};
  std::jthread reader([&] {
    ++under_way;
    const auto chunk = nr::blocking::read(silent.process());
    EXPECT_TRUE(!chunk || !*chunk) << "there was nothing to read";
    EXPECT_TRUE(chunk || chunk.error().code == nr::ErrorCode::engine_closed) << chunk.error().message();
  });
  std::jthread waiter([&] {
    ++under_way;
    EXPECT_EQ(silent.wait().reason, nr::EndReason::stopped);
  });
  ASSERT_TRUE(eventually([&] { return under_way == 2; }));
  EXPECT_TRUE(host->close().complete);
}

TEST(EngineClose, EndsAWriterThatWaitsForRoom) {
  EngineFixture host;
  Running deaf = host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe()));
  std::atomic<bool> writing{false};
  std::jthread writer([&] {
    const std::string much(8 * MiB, 'x');
    writing = true;
    EXPECT_FALSE(nr::blocking::write(deaf.process(), much));
  });
  ASSERT_TRUE(eventually([&] { return writing.load(); }));
  EXPECT_TRUE(host->close().complete);
}

TEST(EngineClose, DoesNotWaitForOutputThatNobodyReads) {
  EngineFixture host;
  Running flood = host.spawn(nr::Command("yes"));
  ASSERT_TRUE(eventually([&] { return flood.held_bytes() > 0; }));
  const Stopwatch watch;
  EXPECT_TRUE(host->close().complete);
  EXPECT_LT(watch.elapsed(), patience(15s));
}

TEST(EngineClose, InTheMidstOfAStormOfStartsIsClean) {
  EngineFixture host;
  std::atomic<std::size_t> started{0};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (;;) {
        const auto process = nr::blocking::get(host->spawn(sleeper), verb_deadline());
        if (!process) {
          EXPECT_EQ(process.error().code, nr::ErrorCode::engine_closed) << process.error().message();
          return;
        }
        ++started;
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return started > 20; }));
  EXPECT_TRUE(host->close().complete);
}

TEST(EngineClose, EndsCoroutinesThatNobodyWaitsFor) {
  EngineFixture host;
  Captures many(*host);
  for (int n = 0; n < 20; ++n) many.start(nr::Command("sleep", "1000"));
  ASSERT_TRUE(eventually([&] { return host.get(host->stats()).running() == 20; }));
  EXPECT_TRUE(host->close().complete);
  ASSERT_TRUE(many.join());
  for (const auto& outcome : many.outcomes()) {
    const bool right = outcome ? outcome->ended.reason == nr::EndReason::stopped
                               : outcome.error().code == nr::ErrorCode::engine_closed;
    EXPECT_TRUE(right) << (outcome ? nr::name_of(outcome->ended.reason) : outcome.error().message());
  }
}

TEST(EngineClose, AnEngineCanBeMoved) {
  nr::Engine first = value_of(nr::Engine::open({.shards = 1}));
  nr::Engine second = std::move(first);
  EXPECT_TRUE(value_of(second.run(nr::Command("true"))).success());
  first = std::move(second);
  EXPECT_TRUE(value_of(first.run(nr::Command("true"))).success());
}

TEST(EngineClose, OpenedAgainAndAgainNothingPilesUp) {
  for (int round = 0; round < 20; ++round) {
    EngineFixture host;
    EXPECT_EQ(host.run(nr::Command("echo", "x")).out.head, "x\n");
  }
  EXPECT_EQ(zombies_of(getpid()).size(), 0U);
}

TEST(EngineClose, TwoEnginesDontKnowEachOther) {
  EngineFixture first, second;
  const Running other = second.spawn(sleeper);
  EXPECT_EQ(first->close().stopped, 0U);
  EXPECT_TRUE(is_running(other.pid()));
  EXPECT_EQ(second.run(nr::Command("echo", "x")).out.head, "x\n");
}

TEST(EngineClose, OfAnEngineThatTheHostTurnsItself) {
  EngineFixture host({.shards = 1, .threads = nr::Threads::foreign});
  EXPECT_EQ(host.run(nr::Command("echo", "x")).out.head, "x\n");
  const Running running = host.spawn(sleeper);
  EXPECT_EQ(host->close().stopped, 1U);
  EXPECT_TRUE(eventually([&] { return !is_running(running.pid()); }));
}

TEST(EngineClose, OnAThreadOfItsOwnItIsRefusedByNameAndNothingIsClosed) {
  EngineFixture host;
  nr::CloseReport report;
  on_shard(*host, [&] { report = host->close(); });
  ASSERT_TRUE(report.error);
  EXPECT_EQ(report.error->code, nr::ErrorCode::invalid_argument);
  EXPECT_EQ(report.error->sys_errno, EDEADLK);
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(exit_code(host.run(nr::Command("true")).ended), 0);
}

TEST(EngineClose, ACoroutineOfItsOwnThreadMayOwnItAndEnd) {
  const std::size_t threads = own_threads(), open = own_descriptors().size();
  std::atomic<bool> ran = false;
  std::optional<nr::Engine> engine(value_of(nr::Engine::open(two_shards())));
  [](nr::Engine owned, std::atomic<bool>& over) -> nr::detail::Detached {
    (void)co_await owned.spawn(sleeper);  // Dropped at once: it stops.
    const auto echo = co_await owned.capture(nr::Command("echo", "text"));
    over = echo && echo->out.head == "text\n";
  }(std::move(*engine), ran);
  EXPECT_TRUE(eventually([&] { return ran.load(); }));
  EXPECT_TRUE(eventually([&] { return own_threads() == threads && own_descriptors().size() == open; }));
}

TEST(EngineOpen, RefusesImpossibleOptions) {
  for (const nr::EngineOptions& options : {
           nr::EngineOptions{.shards = 65},
           nr::EngineOptions{.shards = 1, .chunk_bytes = 5000},
           nr::EngineOptions{.shards = 1, .chunk_bytes = 2 * 1024 * 1024},
           nr::EngineOptions{.shards = 1, .commands_max = 0},
           nr::EngineOptions{.shards = 1, .window_bytes = 0}}) {
    const nr::Result<nr::Engine> engine = nr::Engine::open(options);
    ASSERT_FALSE(engine);
    EXPECT_EQ(engine.error().code, nr::ErrorCode::invalid_argument) << engine.error().message();
  }
}

TEST(EngineOpen, ThrowsNothingWhereNoThreadCanBeStarted) { EXPECT_TRUE(host_succeeds("poor_host", {"threads"})); }

TEST(EngineOpen, NamesAShepherdThatIsNotThere) {
  const Stopwatch watch;
  const nr::Result<nr::Engine> engine = nr::Engine::open({.shards = 1, .shepherd_path = "/no/such/shepherd"});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, nr::ErrorCode::shepherd_unavailable) << engine.error().message();
  EXPECT_TRUE(engine.error().message().contains("/no/such/shepherd")) << engine.error().message();
  EXPECT_LT(watch.elapsed(), patience(5s)) << "it will not be there in ten seconds either";
}

TEST(EngineOpen, CommandsPastTheMaximumAreRefusedByName) {
  EngineFixture host({.shards = 1, .commands_max = 5});
  std::vector<Running> running;
  for (int n = 0; n < 5; ++n) running.push_back(host.spawn(sleeper));
  const auto sixth = nr::blocking::get(host->spawn(sleeper), verb_deadline());
  ASSERT_FALSE(sixth);
  EXPECT_EQ(sixth.error().code, nr::ErrorCode::limit_reached);
  EXPECT_FALSE(sixth.error().subject.empty());
  running[0].process().kill();
  (void)running[0].wait();
  running.erase(running.begin());
  for (int n = 0; n < 50; ++n) {  // The place is free as soon as the handle is gone.
    const auto next = host->run(nr::Command("true"));
    ASSERT_TRUE(next) << n << ": " << next.error().message();
  }
}

}  // namespace
}  // namespace tests
