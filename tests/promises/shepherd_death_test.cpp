/// A shepherd that dies takes its commands with it, every one of them is told so, and a new one starts. K2.

#include <csignal>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/write_lease.hpp"

namespace tests {
namespace {

const nr::EngineOptions one_shard = {.shards = 1};
const nr::Command sleeper = nr::Command("sleep", "1000").out(nr::Stdio::null());

pid_t shepherd_of(EngineFixture& host) { return host.shard_stats().shepherd_pid; }

/// Kills it and returns its number; a new one may be there already.
pid_t kill_shepherd(EngineFixture& host) {
  const pid_t shepherd = shepherd_of(host);
  EXPECT_GT(shepherd, 1);
  if (shepherd > 1) kill(shepherd, SIGKILL);
  return shepherd;
}

std::size_t named_alive(std::string_view name) {
  std::size_t count = 0;
  for (const ProcessEntry& entry : processes_with_environment(current_mark())) count += entry.name == name;
  return count;
}

TEST(ShepherdDeath, EndsEveryCommandAndTellsSo) {  // K2
  EngineFixture host{one_shard};
  std::vector<Running> commands;
  for (int n = 0; n < 80; ++n) commands.push_back(host.spawn(sleeper));
  for (int n = 0; n < 20; ++n) commands.push_back(host.spawn(sh("sleep 1000 & sleep 1000").out(nr::Stdio::null())));
  const Stopwatch watch;
  kill_shepherd(host);
  for (Running& command : commands) {
    const nr::Ended ended = command.wait();
    EXPECT_EQ(ended.reason, nr::EndReason::shepherd_lost) << nr::name_of(ended.reason);
    EXPECT_FALSE(ended.success());
  }
  EXPECT_LT(watch.elapsed(), patience(5s));
  EXPECT_TRUE(eventually([] { return named_alive("sleep") == 0; }));
}

TEST(ShepherdDeath, TheGroupGoesWithItsLeaderWhereNothingElseContainsIt) {
  nr::EngineOptions options = one_shard;
  options.containment = nr::Containment::process_group;
  EngineFixture host{options};
  const int probe = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  const bool can = syscall(SYS_pidfd_send_signal, probe, 0, nullptr, 1U << 2) == 0 || errno == ESRCH;
  close(probe);
  if (!can) GTEST_SKIP() << "pidfd_send_signal(2) has no PIDFD_SIGNAL_PROCESS_GROUP (Linux 6.9)";
  Running command = host.spawn(sh("sleep 1000 & echo; wait"));
  EXPECT_EQ(command.read_exactly(1), "\n");
  EXPECT_TRUE(eventually([] { return named_alive("sleep") == 1; }));
  kill_shepherd(host);
  EXPECT_EQ(command.wait().reason, nr::EndReason::shepherd_lost);
  EXPECT_TRUE(eventually([] { return named_alive("sleep") == 0; }));
}

TEST(ShepherdDeath, TheStatusOfACommandIsThenUnknown) {
  EngineFixture host{one_shard};
  Running command = host.spawn(sleeper);
  kill_shepherd(host);
  EXPECT_TRUE(std::holds_alternative<nr::Unknown>(command.wait().status));
  EXPECT_TRUE(std::holds_alternative<nr::Unknown>(command.exited()));
  EXPECT_EQ(nr::to_string(command.exited()), "unknown");
}

TEST(ShepherdDeath, ANewOneStartsAndServes) {  // K2
  EngineFixture host{one_shard};
  const pid_t before = kill_shepherd(host);
  EXPECT_TRUE(eventually([&] {
    const nr::Result<nr::Completed> completed = host->run(nr::Command("echo", "again"));
    return completed && completed->out.head == "again\n";
  }));
  EXPECT_NE(shepherd_of(host), before);
  EXPECT_EQ(host.shard_stats().shepherds_lost, 1U);
  EXPECT_EQ(host.shard_stats().running, 0U);
}

TEST(ShepherdDeath, AllShepherdsOfAnEngineShareOneImage) {
  EngineFixture host;
  const auto image_of = [&](std::uint32_t shard) {
    struct stat program{};
    const std::string path = "/proc/" + std::to_string(host.shard_stats(shard).shepherd_pid) + "/exe";
    return stat(path.c_str(), &program) == 0 ? program.st_ino : 0;
  };
  const auto image = image_of(0);
  EXPECT_NE(image, 0U);
  EXPECT_EQ(image_of(1), image);
  const pid_t killed = kill_shepherd(host);
  EXPECT_TRUE(eventually([&] { return shepherd_of(host) != killed && image_of(0) == image; }));
}

TEST(ShepherdDeath, WhatEndedBeforeKeepsItsResult) {
  EngineFixture host{one_shard};
  Running ended = host.spawn(nr::Command::shell("exit 9").out(nr::Stdio::null()));
  EXPECT_EQ(exit_code(ended.wait()), 9);
  kill_shepherd(host);
  EXPECT_TRUE(eventually([&] { return host->run(nr::Command("true")).has_value(); }));
  EXPECT_EQ(exit_code(ended.wait()), 9);
  EXPECT_EQ(ended.wait().reason, nr::EndReason::exited);
}

TEST(ShepherdDeath, WhatWasWrittenByThenIsDelivered) {  // Promise 3
  EngineFixture host{one_shard};
  Running talker = host.spawn(nr::Command::shell("echo last words; exec sleep 1000"));
  ASSERT_TRUE(eventually([&] { return talker.held_bytes() > 0; }));
  kill_shepherd(host);
  EXPECT_EQ(talker.read_all(), "last words\n");
  const nr::Ended ended = talker.wait();
  ASSERT_NE(ended.stream(nr::Stream::out), nullptr);
  EXPECT_EQ(ended.stream(nr::Stream::out)->bytes, 11U);
}

TEST(ShepherdDeath, AVerbUnderWayEnds) {
  EngineFixture host{one_shard};
  Running command = host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe()));
  std::jthread reader([&] { EXPECT_EQ(command.read_all(), ""); });
  std::jthread waiter([&] { EXPECT_EQ(command.wait().reason, nr::EndReason::shepherd_lost); });
  kill_shepherd(host);
}

TEST(ShepherdDeath, AStartUnderWayFailsWithThatName) {
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  EngineFixture host{one_shard};
  Captures pending(*host);
  pending.start(nr::Command(lease.program()));
  ASSERT_TRUE(eventually([&] { return children_of(shepherd_of(host)).size() == 1; }));
  kill_shepherd(host);
  ASSERT_TRUE(pending.join(nr::Deadline::after(patience(10s)))) << "it waits for the exec of a dead shepherd";
  ASSERT_FALSE(pending.outcomes().front());
  EXPECT_EQ(pending.outcomes().front().error().code, nr::ErrorCode::shepherd_lost);
  lease.release();
}

TEST(ShepherdDeath, AgainAndAgainInAStormOfStarts) {
  EngineFixture host{one_shard};
  std::jthread killer([&host](std::stop_token stop) {
    for (int round = 0; round < 5 && !stop.stop_requested(); ++round) {
      std::this_thread::sleep_for(30ms);  // The moment, not a synchronisation.
      kill_shepherd(host);
    }
  });
  std::size_t lost = 0, right = 0;
  for (std::size_t round = 0; round < scaled(3000, 60); ++round) {
    const nr::Result<nr::Completed> completed = host->run(nr::Command::shell("exit 3"));
    if (!completed) {
      EXPECT_TRUE(completed.error().code == nr::ErrorCode::shepherd_lost ||
                  completed.error().code == nr::ErrorCode::shepherd_unavailable)
          << completed.error().message();
      ++lost;
      // One that died before it was ready is replaced after a pause, and till then each start is refused at once.
      EXPECT_TRUE(eventually([&] { return host->run(nr::Command("true")).has_value(); }));
    } else if (completed->ended.reason == nr::EndReason::shepherd_lost) {
      ++lost;
    } else {
      EXPECT_EQ(exit_code(completed->ended), 3);
      ++right;
    }
  }
  killer.join();
  EXPECT_TRUE(eventually([&] { return host->run(nr::Command("true")).has_value(); }));
  EXPECT_GT(right, lost);
}

TEST(ShepherdDeath, OnOneShardIsNoMatterOfAnother) {
  EngineFixture host({.shards = 2});
  std::vector<Running> commands;
  for (int n = 0; n < 20; ++n) commands.push_back(host.spawn(sleeper));
  const pid_t victim = shepherd_of(host);
  std::vector<bool> of_victim;
  for (const Running& command : commands) of_victim.push_back(process(command.pid())->parent == victim);
  kill(victim, SIGKILL);
  for (std::size_t n = 0; n < commands.size(); ++n) {
    if (of_victim[n]) {
      EXPECT_EQ(commands[n].wait().reason, nr::EndReason::shepherd_lost);
    } else {
      EXPECT_TRUE(is_running(commands[n].pid()));
    }
  }
}

TEST(ShepherdDeath, TheEngineClosesWellAfterwards) {
  EngineFixture host{one_shard};
  Running command = host.spawn(sleeper);
  kill_shepherd(host);
  EXPECT_TRUE(host->close().complete);
  EXPECT_FALSE(command.wait().success());
}

}  // namespace
}  // namespace tests
