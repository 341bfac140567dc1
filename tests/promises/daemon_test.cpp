/// A command that is kept running: restarts, backoff, giving up, orders, instances. Theme DAEMON.

#include <array>
#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/support/busy_shard.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/freezer.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

using nr::DaemonState;

const nr::Command sleeper = nr::Command("sleep", "1000");

/// Writes a line to `log` in one write at each start, then does as `then` says.
nr::Command counted(const TempFolder& folder, const std::string& then) {
  return sh("echo start >> " + folder / "starts" + "; " + then);
}
std::size_t starts(const TempFolder& folder) {
  const std::string text = file_text(folder / "starts");
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Daemon, IsStartedAgainEachTimeItEnds) {
  EngineFixture host;
  const TempFolder folder;
  Kept kept(host, counted(folder, "exit 0"));
  EXPECT_TRUE(kept.has_started(20));
  const nr::DaemonStatus status = kept.stop();
  EXPECT_EQ(status.state, DaemonState::stopped);
  // The last may have been stopped before it could write.
  EXPECT_TRUE(starts(folder) == status.instances[0].starts || starts(folder) + 1 == status.instances[0].starts);
  EXPECT_EQ(status.instances[0].restarts + 1, status.instances[0].starts);
}

TEST(Daemon, BacksOffVisiblyWhenItFailsAtOnce) {  // N1
  EngineFixture host;
  nr::DaemonOptions options = quick();
  options.backoff = {.first = 20ms, .max = 1h, .jitter = 0, .stable_after = 1h};
  Kept kept(host, nr::Command("false"), options);
  EXPECT_TRUE(eventually([&] { return kept.status().ends_in_row >= 4; }));
  EXPECT_TRUE(kept.becomes(DaemonState::backing_off));
  const nr::InstanceStatus status = kept.status();
  EXPECT_EQ(status.reason, "exited 1");
  EXPECT_GE(status.next_start_ns - status.since_ns, nr::Nanoseconds(160ms).count() - 1'000'000);
  EXPECT_EQ(exit_code(*status.last_end), 1);
}

TEST(Daemon, HasAtMostEightStartsInTenSecondsByDefault) {  // N1
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options;
  options.output = nr::DaemonOutput::discard();
  const Stopwatch watch;
  Kept kept(host, counted(folder, "exit 1"), options);
  EXPECT_TRUE(kept.has_started(5));
  // 100, 200, 400 and 800 ms, each less a quarter at most.
  EXPECT_GE(watch.seconds(), 1.5 * 0.75);
  (void)kept.stop();
}

TEST(Daemon, IsGivenUpWhenItEndsTooOftenWithinATime) {  // N1
  EngineFixture host;
  nr::DaemonOptions options = quick();
  options.burst = {.restarts = 5, .within = 1h};
  Kept kept(host, sh("exit 3"), options);
  const nr::DaemonStatus status = kept.await_end();
  EXPECT_EQ(status.state, DaemonState::failed);
  EXPECT_EQ(status.instances[0].starts, 6U);
  EXPECT_EQ(status.instances[0].reason, "given up after 5 restarts within 1h; the last: exited 3");
  const auto ready = nr::blocking::ready(kept.daemon(), verb_deadline());
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, nr::ErrorCode::already_exited);
  EXPECT_NE(ready.error().message().find("exited 3"), std::string::npos) << ready.error().message();
}

TEST(Daemon, AnOrderToRestartDoesNotWaitForTheBackoff) {  // N2
  EngineFixture host;
  nr::DaemonOptions options = quick();
  options.backoff.first = options.backoff.max = 1h;
  Kept kept(host, nr::Command("false"), options);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    EXPECT_TRUE(kept.becomes(DaemonState::backing_off));
    EXPECT_EQ(kept.status().starts, round);
    EXPECT_EQ(kept.status().ends_in_row, 1U) << "what was is forgotten";
    kept->restart();
    EXPECT_TRUE(kept.has_started(round + 1));
  }
}

TEST(Daemon, AFailedOneCanBeStartedAnew) {
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = quick();
  options.restart = nr::Restart::never;
  Kept kept(host, sh("test -e " + folder / "there" + " || exit 4; exec sleep 1000"), options);
  EXPECT_EQ(kept.await_end().state, DaemonState::failed);
  write_file(folder / "there", "");
  kept->restart();
  EXPECT_TRUE(kept.becomes(DaemonState::ready));
  EXPECT_EQ(kept.stop().state, DaemonState::stopped);
}

TEST(Daemon, ThePolicySaysAfterWhichEndsItIsStartedAgain) {
  EngineFixture host;
  const auto end_of = [&](nr::Restart restart, const char* script) {
    nr::DaemonOptions options = quick();
    options.restart = restart;
    options.burst = {.restarts = 2, .within = 1h};
    const Kept kept(host, sh(script), options);
    return kept.await_end();
  };
  const auto starts_of = [](const nr::DaemonStatus& status) { return status.instances[0].starts; };
  const nr::DaemonStatus well = end_of(nr::Restart::on_failure, "exit 0");
  EXPECT_EQ(well.state, DaemonState::stopped);
  EXPECT_EQ(starts_of(well), 1U);
  EXPECT_EQ(starts_of(end_of(nr::Restart::on_failure, "exit 1")), 3U);
  EXPECT_EQ(starts_of(end_of(nr::Restart::on_failure, "kill -TERM $$")), 3U);
  EXPECT_EQ(starts_of(end_of(nr::Restart::always, "exit 0")), 3U);
  const nr::DaemonStatus once = end_of(nr::Restart::never, "exit 1");
  EXPECT_EQ(once.state, DaemonState::failed);
  EXPECT_EQ(starts_of(once), 1U);
  EXPECT_EQ(end_of(nr::Restart::never, "exit 0").state, DaemonState::stopped);
}

TEST(Daemon, AProgramThatIsNotThereIsAnErrorAtOnce) {
  EngineFixture host;
  const Kept kept(host, nr::Command("/no/such/program"));
  const auto ready = nr::blocking::ready(kept.daemon(), verb_deadline());
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, nr::ErrorCode::not_found);
  EXPECT_EQ(kept.await_end().instances[0].starts, 1U);
}

TEST(Daemon, AProgramThatIsReplacedMeanwhileIsTriedAgain) {
  EngineFixture host;
  const TempFolder folder;
  const std::string program = folder / "program";
  const auto install = [&] {
    write_file(program, "#!/bin/sh\nexec sleep 1000\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  };
  install();
  Kept kept(host, nr::Command(program));
  kept.await_ready();
  std::filesystem::remove(program);
  value_of(nr::blocking::get(kept->signal(SIGKILL)));
  EXPECT_TRUE(eventually([&] { return kept.status().last_error.has_value(); }));
  EXPECT_NE(kept.status().state, DaemonState::failed);
  install();
  EXPECT_TRUE(kept.becomes(DaemonState::ready));
}

TEST(Daemon, ANewOneStartsOnlyWhenNothingOfTheOldIsLeft) {  // N6
  EngineFixture host;
  const TempFolder folder;
  // The grandchild keeps the lock for as long as it lives, and has left the group and the session.
  const std::string script = "exec 9>" + folder / "lock" + "; flock -n 9 || echo two >> " + folder / "wrong" +
                             "; setsid sleep 1000 & echo start >> " + folder / "starts" + "; wait";
  Kept kept(host, sh(script));
  const std::size_t rounds = scaled(100, 10);
  for (std::size_t round = 1; round <= rounds; ++round) {
    ASSERT_TRUE(eventually([&] { return starts(folder) == round; })) << round;
    kept->restart();
  }
  (void)kept.stop();
  EXPECT_EQ(file_text(folder / "wrong"), "");
  EXPECT_TRUE(processes_with_environment(current_mark()).empty()) << "a stop leaves none";
}

TEST(Daemon, WhereSomethingOutlivesAnOrderItHasFailedAndNoneIsStartedBesideIt) {  // N6
  EngineFixture host;
  const Freezer freezer;
  SKIP_WITHOUT_FREEZER(freezer);
  Kept restarted(host, sleeper);
  Kept stopped(host, sleeper);
  for (const Kept* kept : {&restarted, &stopped}) {
    kept->await_ready();
    ASSERT_TRUE(freezer.freeze(kept->status().pid));
  }
  restarted->restart();
  restarted->kill();
  restarted->restart();  // Who asks last is obeyed.
  stopped->kill();
  for (const Kept* kept : {&restarted, &stopped}) {
    EXPECT_TRUE(kept->becomes(DaemonState::failed));
    EXPECT_EQ(kept->status().starts, 1U);
    EXPECT_NE(kept->status().reason.find("; processes of it are left, and beside them none is started: "),
              std::string::npos)
        << kept->status().reason;
  }
  freezer.thaw();
}

TEST(Daemon, AStopRunsTheLadderAndAllThatIsWrittenMeanwhileArrives) {
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = quick();
  options.output = nr::DaemonOutput::file(folder / "log");
  options.ready = nr::Ready::line("^ready$");
  Kept kept(host,
            sh("bye() { seq 1 20000; exit 7; }; trap bye TERM; echo ready; while :; do sleep 0.02; done")
                .ladder({{SIGTERM, nr::Target::leader, 60s}}),
            options);
  kept.await_ready();
  const nr::DaemonStatus status = kept.stop();
  EXPECT_EQ(status.state, DaemonState::stopped);
  EXPECT_EQ(exit_code(*status.instances[0].last_end), 7);
  EXPECT_EQ(status.instances[0].reason, "asked to stop; exited 7 (stopped)");
  EXPECT_TRUE(file_text(folder / "log").ends_with("\n19999\n20000\n"));
  EXPECT_EQ(status.log.lines, 20'001U);
}

TEST(Daemon, ASecondStopMayShortenTheFirst) {
  EngineFixture host;
  nr::DaemonOptions options = quick();
  options.ready = nr::Ready::line("deaf");
  Kept kept(host, child("deaf").ladder({{SIGTERM, nr::Target::group, 1h}}), options);
  kept.await_ready();
  kept->stop();
  EXPECT_TRUE(kept.becomes(DaemonState::stopping));
  EXPECT_TRUE(remains([&] { return kept.status().state == DaemonState::stopping; }));
  kept->kill();
  EXPECT_EQ(end_signal(*kept.await_end().instances[0].last_end), SIGKILL);
}

TEST(Daemon, TheEndIsAStateThatAnyThreadMayAskForAtAnyTime) {  // N5
  EngineFixture host;
  nr::DaemonOptions options = quick();
  options.restart = nr::Restart::never;
  const Kept kept(host, sh("exit 5"), options);
  ASSERT_TRUE(eventually([&] { return kept.status().state == DaemonState::failed; }));
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 10; ++thread) {
    threads.emplace_back([&] { EXPECT_EQ(exit_code(*kept.await_end().instances[0].last_end), 5); });
  }
}

TEST(Daemon, AWaitBegunAroundTheEndAlwaysEnds) {  // N5
  EngineFixture host;
  nr::DaemonOptions options = quick();
  options.restart = nr::Restart::on_failure;
  for (std::size_t round = 0; round < scaled(1000, 20); ++round) {
    const Kept kept(host, nr::Command("true"), options);
    ASSERT_EQ(kept.await_end().state, DaemonState::stopped) << round;
  }
}

TEST(Daemon, CoroutinesWaitForReadinessAndEndOnAShardsThread) {
  EngineFixture host;
  Kept kept(host, sleeper);
  const auto told = host.get([](const nr::Daemon& daemon) -> nr::Task<nr::Result<nr::DaemonStatus>> {
    if (auto ready = co_await daemon.ready(); !ready) co_return std::unexpected(ready.error());
    daemon.stop();
    nr::DaemonStatus status = co_await daemon.ended();
    co_return status;
  }(kept.daemon()));
  ASSERT_TRUE(told) << told.error().message();
  EXPECT_EQ(told->state, DaemonState::stopped);
}

TEST(Daemon, AWaitPastItsDeadlineTouchesNothing) {
  EngineFixture host;
  const Kept kept(host, sleeper);
  kept.await_ready();
  const auto ended = nr::blocking::ended(kept.daemon(), nr::Deadline::after(1ms));
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, nr::ErrorCode::timed_out);
  EXPECT_EQ(kept.status().state, DaemonState::ready);
}

TEST(Daemon, SignalsInputAndFiguresReachTheProcessThatRunsNow) {
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = quick();
  options.output = nr::DaemonOutput::file(folder / "log");
  options.ready = nr::Ready::line("ready");
  Kept kept(host, sh("trap 'echo usr1' USR1; echo ready; while read line; do echo got $line; done; exit 9")
                      .in(nr::Stdio::pipe()), options);
  for (int round = 0; round < 3; ++round) {
    kept.await_ready();
    value_of(host.get(kept->write("one\n")));
    EXPECT_TRUE(eventually([&] { return file_text(folder / "log").ends_with("got one\n"); }));
    EXPECT_GT(value_of(host.get(kept->stats())).streams.size(), 0U);
    value_of(host.get(kept->signal(SIGKILL)));
    EXPECT_TRUE(kept.has_started(static_cast<std::uint64_t>(round) + 2));
  }
  kept.await_ready();
  const std::uint64_t before = kept.status().starts;
  value_of(host.get(kept->close_input()));
  EXPECT_TRUE(kept.has_started(before + 1));
  const auto nobody = host.get(kept->signal(SIGTERM, nr::Target::leader, 1));
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, nr::ErrorCode::invalid_argument);
  (void)kept.stop();
  const auto gone = host.get(kept->signal(SIGTERM));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, nr::ErrorCode::already_exited);
}

TEST(Daemon, InstancesRunSideBySideAndEachKnowsItsNumber) {
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = quick();
  options.instances = 4;
  options.output = nr::DaemonOutput::file(folder / "log.{i}").prefix("[{i}] ");
  options.ready = nr::Ready::line("^argument");
  Kept kept(host,
            sh("echo argument {i} $NETRUNNER_INSTANCE $VALUE; exec sleep 1000").env("VALUE", "v{i}"), options);
  kept.await_ready();
  for (int i = 0; i < 4; ++i) {
    const std::string number = std::to_string(i);
    EXPECT_TRUE(eventually([&] {
      return file_text(folder / ("log." + number)) == "[" + number + "] argument " + number + " " + number + " v" +
                                                          number + "\n";
    })) << file_text(folder / ("log." + number));
  }
  const nr::DaemonStatus before = kept->status();
  kept->restart(2);
  EXPECT_TRUE(eventually([&] { return kept.status(2).starts == 2 && kept.status(2).state == DaemonState::ready; }));
  for (const std::uint32_t other : {0U, 1U, 3U}) EXPECT_EQ(kept.status(other).pid, before.instances[other].pid);
  EXPECT_EQ(kept.stop().state, DaemonState::stopped);
}

TEST(Daemon, ChangesAreToldInOrder) {
  EngineFixture host;
  std::mutex mutex;
  std::vector<std::string> changes;
  nr::DaemonOptions options = quick();
  options.restart = nr::Restart::always;
  options.burst = {.restarts = 1, .within = 1h};
  options.on_change = [&](const nr::InstanceStatus& status) {
    const std::lock_guard guard(mutex);
    changes.emplace_back(nr::name_of(status.state));
  };
  {
    const Kept kept(host, sh("exit 1"), options);
    (void)kept.await_end();
  }
  const std::vector<std::string> expected = {"starting", "ready",    "backing_off", "starting", "ready", "failed"};
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard guard(mutex);
    return changes == expected;
  })) << testing::PrintToString(changes);
}

TEST(Daemon, DroppedItIsStoppedWithoutBlocking) {
  EngineFixture host;
  const Stopwatch watch;
  {
    Kept kept(host, child("deaf").ladder({{SIGTERM, nr::Target::group, 300ms}}));
    EXPECT_TRUE(kept.becomes(DaemonState::ready));
    EXPECT_FALSE(processes_with_environment(current_mark()).empty());
  }
  EXPECT_TRUE(eventually([&] { return host.shard_stats(0).running + host.shard_stats(1).running == 0; }));
}

TEST(Daemon, DroppedInTheMiddleOfAStartItLeavesNothing) {
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(300, 20); ++round) {
    const Kept kept(host, sleeper);
  }
  EXPECT_TRUE(eventually([&] { return host.shard_stats(0).running + host.shard_stats(1).running == 0; }));
}

/// Two that wait for the end of a daemon: the first that goes on destroys the other.
struct EndWaiters {
  std::array<OwnedFrame, 2> frames;
  std::atomic<int> woken = 0;
  std::atomic<pid_t> thread = 0;
};

OwnedFrame wait_for_end(EndWaiters& waiters, std::size_t which, nr::Task<nr::DaemonStatus> end) {
  (void)co_await end;
  waiters.thread = gettid();
  if (waiters.woken == 0) waiters.frames[1 - which].destroy();
  ++waiters.woken;
}

TEST(Daemon, WhoeverAwaitsItsEndGoesOnInAShardsThreadAndMayDestroyOthersWhoDo) {
  EngineFixture host({.shards = 1});
  pid_t shard = 0;
  on_shard(*host, [&] { shard = gettid(); });
  for (std::size_t round = 0; round < scaled(200, 20); ++round) {
    EndWaiters waiters;
    {
      const Kept kept(host, sleeper);
      kept.await_ready();
      for (std::size_t n = 0; n < 2; ++n) waiters.frames[n] = wait_for_end(waiters, n, kept->ended());
    }
    ASSERT_TRUE(eventually([&] { return waiters.woken > 0; }));
    on_shard(*host, [] {});
    EXPECT_EQ(waiters.thread, shard);
    EXPECT_EQ(waiters.woken, 1);
  }
}

TEST(Daemon, EndsWithItsEngine) {
  auto engine = nr::Engine::open(two_shards());
  ASSERT_TRUE(engine);
  auto daemon = nr::Daemon::start(*engine, sleeper, quick());
  ASSERT_TRUE(daemon);
  ASSERT_TRUE(nr::blocking::ready(*daemon, verb_deadline()));
  (void)engine->close();
  const auto status = nr::blocking::ended(*daemon, verb_deadline());
  ASSERT_TRUE(status);
  EXPECT_EQ(status->state, DaemonState::stopped);
  daemon->restart();
  EXPECT_TRUE(eventually([&] { return daemon->status().instances[0].reason == "the engine was closed"; }))
      << daemon->status().instances[0].reason;
}

TEST(Daemon, WorksWithTheLoopOfOthers) {
  nr::EngineOptions options;
  options.threads = nr::Threads::foreign;
  EngineFixture host(options);
  nr::DaemonOptions quickly = quick();
  quickly.restart = nr::Restart::never;
  const Kept kept(host, sh("exit 0"), quickly);
  EXPECT_EQ(host.get(kept.daemon().ended()).state, DaemonState::stopped);
}

TEST(Daemon, WhatIsWrongWithItsOptionsIsSaidByField) {
  EngineFixture host;
  const auto refusal_of = [&](auto change) {
    nr::DaemonOptions options;
    change(options);
    const auto started = nr::Daemon::start(*host, sleeper, options);
    return started ? std::string("it started") : started.error().message();
  };
  EXPECT_EQ(refusal_of([](auto& o) { o.instances = 0; }), "DaemonOptions::instances (from 1 to 1,000)");
  EXPECT_EQ(refusal_of([](auto& o) { o.backoff.max = 1ms; }),
            "DaemonOptions::backoff.max (it must not be below backoff.first)");
  EXPECT_EQ(refusal_of([](auto& o) { o.wait_for = {{}}; }), "DaemonOptions::wait_for (either a path or a port)");
  EXPECT_NE(refusal_of([](auto& o) { o.ready = nr::Ready::line("("); }).find("line pattern \"(\""), std::string::npos);
  EXPECT_EQ(refusal_of([](auto& o) { o.output = nr::DaemonOutput::file("/no/such/folder/log"); }),
            "open log file /no/such/folder/log: No such file or directory");
}

}  // namespace
}  // namespace tests
