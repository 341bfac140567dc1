/// One output to several receivers: each gets every byte, the slowest sets the pace.

#include <atomic>
#include <coroutine>
#include <csignal>
#include <gtest/gtest.h>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/progress.hpp"

namespace tests {
namespace {

nr::Error enough() { return {nr::ErrorCode::cancelled, nr::Stage::none, 0, "sink", "it has enough"}; }

nr::Teed run_tee(EngineFixture& host, Running& command, std::vector<nr::Sink> sinks) {
  return value_of(host.get(nr::tee(command.process(), std::move(sinks))));
}

TEST(Tee, GivesEveryByteToEverySink) {
  EngineFixture host;
  Running source = host.spawn(child("write_exact", "1000000"));
  Running one = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  Running two = host.spawn(nr::Command("wc", "-c").in(nr::Stdio::pipe()));
  std::string text;
  std::string of_cat;
  std::thread reader([&] { of_cat = one.read_all(); });
  const nr::Teed teed = run_tee(
      host, source, {nr::sink_into(text), nr::sink_into(one.process()), nr::sink_into(two.process())});
  reader.join();
  EXPECT_EQ(teed.bytes, 1'000'000u);
  for (const auto& sink : teed.sinks) EXPECT_TRUE(sink.has_value());
  EXPECT_TRUE(text == pattern(1'000'000));
  EXPECT_TRUE(of_cat == text);
  EXPECT_EQ(two.read_all(), "1000000\n");
}

TEST(Tee, TheSlowestSinkSetsThePace) {
  EngineFixture host(nr::EngineOptions{.shards = 2, .pipe_bytes = 64 * KiB});
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(16 * KiB)));
  Running deaf = host.spawn(
      nr::Command("sleep", "1000").in(nr::Stdio::pipe().window(16 * KiB)).out(nr::Stdio::null()));
  std::string text;
  auto task = nr::tee(flood.process(), {nr::sink_into(text), nr::sink_into(deaf.process())});
  std::atomic<bool> over = false;
  nr::start_detached([](nr::Task<nr::Result<nr::Teed>> tee, std::atomic<bool>& ended) -> nr::Task<void> {
    (void)co_await tee;
    ended = true;
  }(std::move(task), over));
  EXPECT_TRUE(eventually([&] { return progress.waited() > 0; }));
  // Its pipe and its queue, the chunk in the sinks' hands, the window, and the flood's own pipe.
  EXPECT_TRUE(remains([&] { return progress.bytes() <= 2 * 64 * KiB + 3 * 16 * KiB; })) << progress.bytes();
  EXPECT_FALSE(over);
  deaf.process().kill();
  EXPECT_TRUE(eventually([&] { return progress.bytes() > 4 * MiB; })) << "the other goes on when the slow one has gone";
  flood.process().kill();
  EXPECT_TRUE(eventually([&] { return over.load(); }));
}

TEST(Tee, ASinkThatLeavesDoesNotHoldTheOthersUp) {
  EngineFixture host;
  Running source = host.spawn(child("write_exact", "300000"));
  std::string text;
  std::size_t asked = 0;
  const nr::Sink leaves = [&](std::span<const std::byte>) -> nr::Task<nr::Result<void>> {
    ++asked;
    co_return std::unexpected(enough());
  };
  const nr::Teed teed = run_tee(host, source, {leaves, nr::sink_into(text)});
  EXPECT_TRUE(text == pattern(300'000));
  EXPECT_EQ(asked, 1u) << "who left is not asked again";
  ASSERT_FALSE(teed.sinks[0].has_value());
  EXPECT_EQ(teed.sinks[0].error().advice, "it has enough");
  EXPECT_TRUE(teed.sinks[1].has_value());
}

TEST(Tee, WhenNobodyIsLeftTheCommandIsTold) {
  EngineFixture host;
  Running yes = host.spawn(nr::Command("yes"));
  const nr::Sink leaves = [](std::span<const std::byte>) -> nr::Task<nr::Result<void>> {
    co_return std::unexpected(enough());
  };
  const nr::Teed teed = run_tee(host, yes, {leaves});
  EXPECT_GT(teed.bytes, 0u);
  EXPECT_EQ(end_signal(yes.wait()), SIGPIPE);
}

TEST(Tee, TheEndIsSaidOnce) {
  EngineFixture host;
  Running source = host.spawn(sh("echo a; sleep 0.05; echo b"));
  std::vector<std::string> got;
  const nr::Sink keeps = [&](std::span<const std::byte> bytes) -> nr::Task<nr::Result<void>> {
    got.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    co_return nr::Result<void>();
  };
  run_tee(host, source, {keeps});
  EXPECT_EQ(got, (std::vector<std::string>{"a\n", "b\n", ""}));
}

TEST(Tee, MayBeDroppedWhileSinksAreUnderWay) {
  EngineFixture host;
  Running flood = host.spawn(nr::Command("yes"));
  Running deaf = host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe()).out(nr::Stdio::null()));
  {
    auto task = nr::tee(flood.process(), {nr::sink_into(deaf.process())});
    task.await_suspend(std::noop_coroutine()).resume();
    // Both stand still: nobody resumes it any more.
    EXPECT_TRUE(eventually([&] {
      return flood.stream_stats().stalled_for_ns > 0 && deaf.stream_stats(nr::Stream::in).stalled_for_ns > 50'000'000;
    }));
  }
  EXPECT_FALSE(flood.read_text().empty()) << "what it held is given back, and the stream is free for others";
  flood.process().kill();
  EXPECT_EQ(flood.wait().reason, nr::EndReason::stopped);
}

}  // namespace
}  // namespace tests
