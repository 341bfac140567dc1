/// One ordered stream of events: of every command of an engine, and of one command alone.

#include <atomic>
#include <csignal>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/progress.hpp"

namespace tests {
namespace {

using nr::EventKind;

nr::EngineOptions telling(EventLog& log, std::uint32_t shards = 1) {
  nr::EngineOptions options;
  options.shards = shards;
  options.on_event = log.callback();
  return options;
}

TEST(Events, OfACommandComeInTheOrderOfItsLife) {
  EventLog log;
  EngineFixture host(telling(log));
  Running command = host.spawn(sh("echo hello; read go; exit 7").in(nr::Stdio::pipe()));
  EXPECT_EQ(command.read_exactly(6), "hello\n");
  command.close_input();
  const nr::Ended ended = command.wait();
  const auto events = log.of(command.process().id());
  EXPECT_EQ(kinds_of(events), "queued spawned exec output exited drained gone");
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.front().program, "/bin/sh");
  EXPECT_EQ(events.back().ended.status, ended.status);
  EXPECT_EQ(events.back().ended.timeline.gone_ns, ended.timeline.gone_ns);
  const nr::Event output = first_of(events, EventKind::output).event;
  EXPECT_EQ(output.stream, nr::Stream::out);
  EXPECT_EQ(output.bytes, 6u);
  EXPECT_EQ(output.total_bytes, 6u);
  EXPECT_EQ(exit_code(first_of(events, EventKind::exited).event.status), 7);
  for (const KeptEvent& kept : events) {
    EXPECT_EQ(kept.event.pid, kept.event.kind == EventKind::queued ? 0 : command.pid());
  }
}

TEST(Events, AreToldBeforeWhoeverAwaitsTheSameFactGoesOn) {
  EventLog log;
  EngineFixture host(telling(log));
  for (std::size_t i = 0; i < scaled(500, 20); ++i) {
    Running command = host.spawn(nr::Command("true").out(nr::Stdio::null()));
    EXPECT_EQ(kinds_of(log.of(command.process().id())).substr(0, 19), "queued spawned exec");
    command.wait();
    EXPECT_EQ(log.of(command.process().id()).back().event.kind, EventKind::gone);
  }
}

TEST(Events, AreNumberedPerShardWithoutAGap) {
  EventLog log;
  {
    EngineFixture host(telling(log, 2));
    Captures captures(*host);
    for (std::size_t i = 0; i < scaled(1000, 50); ++i) captures.start(sh("echo out; echo err >&2"));
    ASSERT_TRUE(captures.join());
  }
  std::map<std::uint32_t, std::uint64_t> last;
  for (const KeptEvent& kept : log.all()) {
    EXPECT_EQ(kept.event.sequence, last[kept.event.shard] + 1);
    last[kept.event.shard] = kept.event.sequence;
  }
  EXPECT_EQ(last.size(), 2u);
  EXPECT_EQ(log.count(EventKind::gone), log.count(EventKind::queued));
}

TEST(Events, OutputIsCountedToTheLastByte) {
  EventLog log;
  EngineFixture host(telling(log));
  const nr::Completed completed = host.run(sh("head -c 3000000 /dev/zero; head -c 70000 /dev/zero >&2"));
  ASSERT_TRUE(completed.success());
  std::map<nr::Stream, std::uint64_t> bytes, total;
  for (const KeptEvent& kept : log.all()) {
    if (kept.event.kind != EventKind::output) continue;
    bytes[kept.event.stream] += kept.event.bytes;
    total[kept.event.stream] = kept.event.total_bytes;
  }
  EXPECT_EQ(bytes, (std::map<nr::Stream, std::uint64_t>{{nr::Stream::out, 3'000'000}, {nr::Stream::err, 70'000}}));
  EXPECT_EQ(bytes, total);
}

TEST(Events, AFailedStartIsTheLastOfItsCommand) {
  EventLog log;
  EngineFixture host(telling(log));
  const auto started = nr::blocking::get(host->spawn(nr::Command("/no/such/program")), verb_deadline());
  ASSERT_FALSE(started.has_value());
  std::vector<KeptEvent> events = log.all();
  std::erase_if(events, [](const KeptEvent& kept) { return kept.event.command == 0; });
  EXPECT_EQ(kinds_of(events), "queued start_failed");
  EXPECT_EQ(events.back().message, started.error().message());
}

TEST(Events, ALimitAndItsSignalsAreTold) {
  EventLog log;
  EngineFixture host(telling(log));
  const nr::KillLadder ladder{{SIGINT, nr::Target::group, 50ms}};
  // Silent once it is deaf: only then the limit runs out.
  const nr::Command deaf = sh("trap '' INT; echo deaf; while :; do sleep 0.02; done");
  Running command = host.spawn(deaf.idle_limit(200ms).ladder(ladder));
  command.wait();
  const auto events = log.of(command.process().id());
  EXPECT_EQ(kinds_of(events), "queued spawned exec output limit signal exited drained gone");
  EXPECT_EQ(first_of(events, EventKind::limit).event.reason, nr::EndReason::idle);
  std::vector<int> signals;
  for (const KeptEvent& kept : events) {
    if (kept.event.kind == EventKind::signal) signals.push_back(kept.event.signal.signal);
  }
  EXPECT_EQ(signals, (std::vector<int>{SIGINT, SIGKILL}));
}

TEST(Events, AStopTellsWhoAskedForIt) {
  EventLog log;
  EngineFixture host(telling(log));
  const nr::Command sleeper = nr::Command("sleep", "1000").out(nr::Stdio::null());
  Running stopped = host.spawn(sleeper);
  stopped.process().stop();
  stopped.wait();
  EXPECT_EQ(first_of(log.of(stopped.process().id()), EventKind::stop).event.reason, nr::EndReason::stopped);
  std::uint64_t dropped = 0;
  {
    Running gone = host.spawn(sleeper);
    dropped = gone.process().id();
  }
  EXPECT_TRUE(eventually([&] { return kinds_of(log.of(dropped)).ends_with("gone"); }));
  EXPECT_EQ(first_of(log.of(dropped), EventKind::stop).event.reason, nr::EndReason::owner_gone);
}

TEST(Events, AStreamThatStandsStillIsToldAndSoIsItsGoingOn) {
  EventLog log;
  EngineFixture host(telling(log));
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(4 * KiB)));
  EXPECT_TRUE(eventually([&] { return log.count(EventKind::stalled) == 1; }));
  EXPECT_EQ(log.count(EventKind::resumed), 0u);
  EXPECT_TRUE(eventually([&] { return flood.stream_stats().stalled_for_ns > 20'000'000; }));
  (void)flood.read_exactly(4 * KiB);
  EXPECT_TRUE(eventually([&] { return log.count(EventKind::resumed) >= 1; }));
  const nr::Event resumed = first_of(log.of(flood.process().id()), EventKind::resumed).event;
  EXPECT_EQ(resumed.stream, nr::Stream::out);
  EXPECT_GE(resumed.stalled_ns, 20'000'000u);
}

TEST(Events, AnInputThatTheCommandDoesNotReadIsToldToo) {
  EventLog log;
  EngineFixture host(telling(log));
  Running deaf = host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe().window(4 * KiB)).out(nr::Stdio::null()));
  const std::string much(1 * MiB, 'x');
  const auto written = nr::blocking::get(deaf.process().write(much), nr::Deadline::after(100ms));
  ASSERT_FALSE(written.has_value());
  EXPECT_GE(log.count(EventKind::stalled), 1u);
  EXPECT_EQ(log.count(EventKind::stalled), log.count(EventKind::resumed) + 1) << "its pipe is full now";
  EXPECT_EQ(first_of(log.all(), EventKind::stalled).event.stream, nr::Stream::in);
}

TEST(Events, OfOneCommandAloneAreItsOwn) {
  EventLog own;
  EngineFixture host;
  Running other = host.spawn(sh("echo other"));
  Running command = host.spawn(sh("echo mine; read go").in(nr::Stdio::pipe()).on_event(own.callback()));
  EXPECT_EQ(other.read_all(), "other\n");
  EXPECT_EQ(command.read_exactly(5), "mine\n");
  other.wait();
  command.wait();
  EXPECT_EQ(kinds_of(own.all()), "queued spawned exec output exited drained gone");
  EXPECT_EQ(own.all().size(), own.of(command.process().id()).size());
}

TEST(Events, ACallbackMayStartAndStopCommands) {
  EngineFixture host(nr::EngineOptions{.shards = 1});
  std::unique_ptr<nr::Process> victim = std::make_unique<nr::Process>(
      host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null())).take());
  std::atomic<int> ended = 0;
  const nr::Process* stopped = victim.get();
  nr::Engine& engine = *host;
  const auto react = [&](const nr::Event& event) {
    if (event.kind == EventKind::output) stopped->stop();
    if (event.kind != EventKind::gone) return;
    nr::start_detached([](nr::Engine& where, std::atomic<int>& count) -> nr::Task<void> {
      const auto completed = co_await where.capture(nr::Command("true"));
      if (completed && completed->success()) ++count;
    }(engine, ended));
  };
  Running command = host.spawn(sh("echo now").on_event(react));
  EXPECT_EQ(command.read_all(), "now\n");
  command.wait();
  EXPECT_EQ(nr::blocking::wait(*victim, verb_deadline())->reason, nr::EndReason::stopped);
  EXPECT_TRUE(eventually([&] { return ended == 1; }));
}

TEST(Events, ALostShepherdAndItsSuccessorAreTold) {
  EventLog log;
  EngineFixture host(telling(log));
  Running command = host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null()));
  const pid_t lost = host.shard_stats().shepherd_pid;
  ASSERT_EQ(::kill(lost, SIGKILL), 0);
  EXPECT_EQ(command.wait().reason, nr::EndReason::shepherd_lost);
  EXPECT_TRUE(eventually([&] { return log.count(EventKind::shepherd_started) == 2; }));
  const nr::Event told = first_of(log.all(), EventKind::shepherd_lost).event;
  EXPECT_EQ(told.pid, lost);
  EXPECT_EQ(told.command, 0u);
  EXPECT_EQ(first_of(log.of(command.process().id()), EventKind::gone).event.reason, nr::EndReason::shepherd_lost);
}

TEST(Events, AForeignLoopIsTurnedForThem) {
  EventLog log;
  nr::EngineOptions options = telling(log);
  options.threads = nr::Threads::foreign;
  EngineFixture host(options);
  Running command = host.spawn(sh("echo foreign; read go").in(nr::Stdio::pipe()));
  EXPECT_EQ(command.read_exactly(8), "foreign\n");
  command.wait();
  EXPECT_EQ(kinds_of(log.of(command.process().id())), "queued spawned exec output exited drained gone");
}

TEST(Events, EveryCommandHasItsOwnNumber) {
  EngineFixture host(two_shards());
  std::map<std::uint64_t, int> seen;
  for (std::size_t i = 0; i < 20; ++i) {
    Running command = host.spawn(nr::Command("true").out(nr::Stdio::null()));
    EXPECT_NE(command.process().id(), 0u);
    EXPECT_EQ(++seen[command.process().id()], 1);
    command.wait();
  }
}

}  // namespace
}  // namespace tests
