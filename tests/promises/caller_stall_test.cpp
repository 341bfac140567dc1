/// The caller never blocks, not even when the shepherd does not answer. Promise 4.

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

const nr::EngineOptions one_shard = {.shards = 1};
/// So few that they are started before the engine finds the shepherd hung, and kills it.
const std::size_t many_commands = scaled(3000, 30), large_commands = scaled(1000, 10);

/// A shepherd that does not answer for as long as this lives.
class Frozen {
 public:
  explicit Frozen(EngineFixture& host) : shepherd_(host.shard_stats().shepherd_pid) {
    kill(shepherd_, SIGSTOP);
    EXPECT_TRUE(eventually([&] { return process_state(shepherd_) == 'T'; }));
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  ~Frozen() { thaw(); }
  void thaw() const { kill(shepherd_, SIGCONT); }

 private:
  pid_t shepherd_;
};

TEST(CallerStall, StartingReturnsAtOnceThoughTheShepherdSleeps) {
  EngineFixture host{one_shard};
  Captures many(*host);
  {
    const Frozen shepherd(host);
    for (std::size_t n = 0; n < many_commands; ++n) {
      const Stopwatch watch;
      many.start(nr::Command("echo", std::to_string(n)));
      EXPECT_LT(watch.elapsed(), patience(2s));
    }
    EXPECT_EQ(many.under_way(), many_commands);
  }
  ASSERT_TRUE(many.join());
  for (std::size_t n = 0; n < many_commands; ++n) {
    const auto& outcome = many.outcomes()[n];
    ASSERT_TRUE(outcome) << outcome.error().message();
    const nr::Ended& ended = outcome->ended;
    EXPECT_EQ(outcome->out.head, std::to_string(n) + "\n")
        << nr::to_string(ended.status) << ", " << nr::name_of(ended.reason) << ", stdout "
        << nr::name_of(ended.stream(nr::Stream::out)->end);
  }
}

TEST(CallerStall, LargeCommandsToo) {  // More than the treaty's socket takes.
  EngineFixture host{one_shard};
  Captures many(*host);
  const std::string large(100'000, 'x');
  {
    const Frozen shepherd(host);
    for (std::size_t n = 0; n < large_commands; ++n) {
      const Stopwatch watch;
      many.start(nr::Command("true", large, large));
      EXPECT_LT(watch.elapsed(), patience(2s));
    }
  }
  ASSERT_TRUE(many.join());
  for (const auto& outcome : many.outcomes()) EXPECT_TRUE(outcome && outcome->success());
}

TEST(CallerStall, StoppingAndDroppingReturnAtOnce) {
  EngineFixture host{one_shard};
  std::vector<Running> commands;
  for (int n = 0; n < 30; ++n) commands.push_back(host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe())));
  const Frozen shepherd(host);
  for (std::size_t n = 0; n < commands.size(); ++n) {
    const Stopwatch watch;
    if (n % 3 == 0) commands[n].process().stop();
    if (n % 3 == 1) commands[n].process().kill();
    if (n % 3 == 2) (void)commands[n].take();
    EXPECT_LT(watch.elapsed(), patience(2s));
  }
}

TEST(CallerStall, OutputIsReadThoughTheShepherdSleeps) {
  EngineFixture host{one_shard};
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  const Frozen shepherd(host);
  for (int round = 0; round < 100; ++round) {
    cat.write("line\n");
    EXPECT_EQ(cat.read_exactly(5), "line\n");
  }
}

TEST(CallerStall, AKillReachesACommandThoughTheShepherdSleeps) {  // DESIGN 2: the host has pidfds of its own.
  EngineFixture host{one_shard};
  Running victim = host.spawn(nr::Command("sleep", "1000"));
  const Frozen shepherd(host);
  victim.process().kill();
  EXPECT_TRUE(eventually([&] { return !is_running(victim.pid()); }));
}

TEST(CallerStall, ADeadlineHoldsThoughTheShepherdSleeps) {
  EngineFixture host{one_shard};
  const nr::Command brief = nr::Command("sleep", "1000").deadline(patience(1s));
  const Running victim = host.spawn(brief.ladder(nr::KillLadder::at_once()));
  const Frozen shepherd(host);
  EXPECT_TRUE(eventually([&] { return !is_running(victim.pid()); }));
}

TEST(CallerStall, ClosingIsBoundedThoughTheShepherdSleeps) {
  EngineFixture host({.shards = 1, .close_max = 1s});
  std::vector<Running> commands;
  for (int n = 0; n < 10; ++n) commands.push_back(host.spawn(nr::Command("sleep", "1000")));
  const Frozen shepherd(host);
  const Stopwatch watch;
  (void)host->close();
  EXPECT_LT(watch.elapsed(), patience(20s));
  for (const Running& command : commands) EXPECT_TRUE(eventually([&] { return !is_running(command.pid()); }));
}

TEST(CallerStall, AnotherShardGoesOn) {
  EngineFixture host({.shards = 2});
  const Frozen shepherd(host);
  Captures many(*host);
  for (int n = 0; n < 40; ++n) many.start(nr::Command("true"));
  // Wherever they were placed: those of the shepherd that answers end.
  EXPECT_TRUE(eventually([&] { return many.under_way() < 40; }));
  shepherd.thaw();
  EXPECT_TRUE(many.join());
}

TEST(CallerStall, AStatisticIsAnsweredThoughTheShepherdSleeps) {
  EngineFixture host{one_shard};
  const Running running = host.spawn(nr::Command("sleep", "1000"));
  const Frozen shepherd(host);
  for (int round = 0; round < 10; ++round) EXPECT_EQ(host.shard_stats().running, 1U);
}

}  // namespace
}  // namespace tests
