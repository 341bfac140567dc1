/// Figures of commands, shards and the engine: live and final, as values and as OpenMetrics text.

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/openmetrics.hpp"
#include "tests/support/progress.hpp"

namespace tests {
namespace {

nr::EngineStats engine_stats(EngineFixture& host) { return host.get(host->stats()); }

TEST(Metrics, OfACommandAreThereWhileItRuns) {
  EngineFixture host;
  Running command = host.spawn(sh("echo hello; read go; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; read end")
                                   .in(nr::Stdio::pipe()));
  EXPECT_EQ(command.read_exactly(6), "hello\n");
  command.write("go\n");
  EXPECT_TRUE(eventually([&] { return command.stats().usage.user_us >= 20'000; }));
  const nr::ProcessStats stats = command.stats();
  EXPECT_EQ(stats.id, command.process().id());
  EXPECT_EQ(stats.pid, command.pid());
  EXPECT_EQ(stats.program, "/bin/sh");
  EXPECT_EQ(stats.state, nr::CommandState::running);
  EXPECT_FALSE(stats.reason.has_value());
  EXPECT_GT(stats.usage.max_rss_kib, 0u);
  EXPECT_GT(stats.timeline.exec_ns, 0);
  EXPECT_EQ(stats.timeline.exited_ns, 0);
  EXPECT_EQ(command.stream_stats().bytes, 6u);
  EXPECT_GE(command.stream_stats().operations, 1u);
  EXPECT_EQ(command.stream_stats(nr::Stream::in).bytes, 3u);
  command.close_input();
  const nr::Ended ended = command.wait();
  EXPECT_EQ(command.stats().state, nr::CommandState::ended);
  EXPECT_EQ(command.stats().reason, nr::EndReason::exited);
  EXPECT_EQ(command.stats().usage.user_us, ended.usage.user_us);
}

TEST(Metrics, SayWhoIsSlow) {
  EngineFixture host;
  Progress progress;
  Running fast = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(4 * KiB)));
  EXPECT_TRUE(eventually([&] { return fast.stream_stats().stalled_for_ns > 50'000'000; }));
  EXPECT_EQ(fast.stream_stats().waited_ns, 0u) << "the reader has not waited for it";

  Running slow = host.spawn(sh("sleep 0.2; echo at last"));
  EXPECT_EQ(slow.read_all(), "at last\n");
  const nr::Ended ended = slow.wait();
  EXPECT_GE(ended.stream(nr::Stream::out)->waited_ns, 150'000'000u);
  EXPECT_GE(ended.stream(nr::Stream::out)->waits, 1u);
  EXPECT_EQ(ended.stream(nr::Stream::out)->stalls, 0u) << "it has not waited for its reader";
}

TEST(Metrics, TheEngineListsItsCommands) {
  EngineFixture host(two_shards());
  std::vector<Running> commands;
  for (int i = 0; i < 6; ++i) commands.push_back(host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null())));
  const auto listed = host.get(host->list());
  ASSERT_EQ(listed.size(), commands.size());
  for (Running& command : commands) {
    const auto found = std::ranges::find(listed, command.process().id(), &nr::ProcessStats::id);
    ASSERT_NE(found, listed.end());
    EXPECT_EQ(found->pid, command.pid());
    EXPECT_EQ(found->program, "sleep");
    EXPECT_EQ(found->state, nr::CommandState::running);
  }
  const auto found = host.get(host->find(commands[3].pid()));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, commands[3].process().id());
  EXPECT_FALSE(host.get(host->find(1)).has_value());
  commands[3].process().kill();
  commands[3].wait();
  EXPECT_FALSE(host.get(host->find(commands[3].pid())).has_value());
  EXPECT_EQ(host.get(host->list()).size(), commands.size() - 1);
}

TEST(Metrics, AStopThatWasOrderedShowsInTheList) {
  EngineFixture host;
  const nr::KillLadder ladder{{SIGUSR1, nr::Target::leader, 60s}};
  Running command = host.spawn(sh("trap '' USR1; echo deaf; while :; do sleep 0.05; done").ladder(ladder));
  EXPECT_EQ(command.read_exactly(5), "deaf\n");
  command.process().stop();
  EXPECT_TRUE(eventually([&] {
    const auto found = host.get(host->find(command.pid()));
    return found && found->reason == nr::EndReason::stopped && found->signals_sent == 1;
  }));
  command.process().kill();
}

TEST(Metrics, OfTheEngineAddUp) {
  EngineFixture host(two_shards());
  Captures captures(*host);
  const std::size_t count = scaled(500, 20);
  for (std::size_t i = 0; i < count; ++i) captures.start(sh("cat; echo err >&2").input("12345"));
  captures.start(nr::Command("/no/such/program"));
  captures.start(nr::Command("sleep", "1000").deadline(patience(1s)));
  ASSERT_TRUE(captures.join());
  const nr::EngineStats stats = engine_stats(host);
  const nr::ShardStats all = stats.total();
  EXPECT_EQ(all.started, count + 1);
  EXPECT_EQ(all.start_failures, 1u);
  EXPECT_EQ(all.ended, count + 1);
  EXPECT_EQ(all.running, 0u);
  EXPECT_EQ(all.ended_by_reason[static_cast<std::size_t>(nr::EndReason::exited)], count);
  EXPECT_EQ(all.ended_by_reason[static_cast<std::size_t>(nr::EndReason::deadline)], 1u);
  EXPECT_EQ(all.read_bytes, count * 9);
  EXPECT_EQ(all.written_bytes, count * 5);
  EXPECT_EQ(all.spawn_latency.count(), count + 1);
  EXPECT_GT(all.spawn_latency.quantile_ns(0.5), 10'000u);
  EXPECT_EQ(all.stop_latency.count(), 1u);
  EXPECT_EQ(all.chunks_out, 0u);
  EXPECT_EQ(all.started, stats.shards[0].started + stats.shards[1].started);
}

TEST(Metrics, TheStopLatencyIsThatOfTheLadder) {
  EngineFixture host;
  const nr::KillLadder ladder{{SIGTERM, nr::Target::group, 200ms}};
  Running command = host.spawn(sh("trap '' TERM; echo deaf; while :; do sleep 0.02; done").ladder(ladder));
  EXPECT_EQ(command.read_exactly(5), "deaf\n");
  command.process().stop();
  command.wait();
  const nr::Histogram latency = engine_stats(host).total().stop_latency;
  EXPECT_EQ(latency.count(), 1u);
  EXPECT_GE(latency.max_ns(), 190'000'000u);
}

TEST(Metrics, AreValidOpenMetricsText) {
  EngineFixture host(two_shards());
  const std::size_t count = scaled(100, 10);
  for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(host.run(sh("echo hello")).success());
  EXPECT_FALSE(host.run(nr::Command("sleep", "1000").deadline(100ms)).success());
  const Metrics metrics = parse_openmetrics(nr::to_openmetrics(engine_stats(host)));
  ASSERT_EQ(metrics.fault, "");
  EXPECT_EQ(metrics.sum("netrunner_commands_started_total"), static_cast<double>(count + 1));
  EXPECT_EQ(metrics.sum("netrunner_commands_ended_total", "reason", "deadline"), 1);
  EXPECT_EQ(metrics.sum("netrunner_commands_ended_total", "reason", "exited"), static_cast<double>(count));
  EXPECT_EQ(metrics.sum("netrunner_read_bytes_total"), static_cast<double>(6 * count));
  EXPECT_EQ(metrics.sum("netrunner_spawn_latency_seconds_count"), static_cast<double>(count + 1));
  EXPECT_EQ(metrics.sum("netrunner_stop_latency_seconds_count"), 1);
  EXPECT_GE(metrics.sum("netrunner_stop_latency_seconds_bucket", "le", "+Inf"), 1);
  EXPECT_EQ(metrics.sum("netrunner_commands_running"), 0);
  ASSERT_NE(metrics.family("netrunner_stop_latency_seconds"), nullptr);
  EXPECT_EQ(metrics.family("netrunner_stop_latency_seconds")->unit, "seconds");
}

TEST(Metrics, TheReaderOfOpenMetricsIsStrict) {
  const std::string good = "# TYPE a counter\n# HELP a Help.\na_total{x=\"1\"} 1\n# EOF\n";
  EXPECT_EQ(parse_openmetrics(good).fault, "");
  const auto fault_of = [&](std::string_view from, std::string_view to) {
    std::string bad = good;
    bad.replace(bad.find(from), from.size(), to);
    return !parse_openmetrics(bad).fault.empty();
  };
  EXPECT_TRUE(fault_of("# EOF\n", ""));
  EXPECT_TRUE(fault_of("# EOF\n", "# EOF\n\n"));
  EXPECT_TRUE(fault_of("# EOF\n", "\n# EOF\n"));
  EXPECT_TRUE(fault_of("a_total{", "a{"));
  EXPECT_TRUE(fault_of("} 1", "} -1"));
  EXPECT_TRUE(fault_of("} 1", "}1"));
  EXPECT_TRUE(fault_of("# HELP a Help.\n", ""));
  EXPECT_TRUE(fault_of("counter", "count"));
  EXPECT_TRUE(fault_of("# EOF", "a_total{x=\"1\"} 2\n# EOF"));
  EXPECT_TRUE(fault_of("# HELP", "# UNIT a seconds\n# HELP"));
}

}  // namespace
}  // namespace tests
