/// a | b | c: the kernel's pipes, one result per stage, and a rule for the whole. Field report F5's pipelines.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/progress.hpp"

namespace tests {
namespace {

TEST(Pipeline, TheOutputOfEachStageIsTheInputOfTheNext) {
  EngineFixture host;
  const auto completed = host.run(nr::Pipeline(nr::Command("seq", "1", "100"), nr::Command("grep", "7"),
                                               nr::Command("tail", "-n", "2")));
  EXPECT_TRUE(completed.success());
  EXPECT_EQ(completed.out.head, "87\n97\n");
  ASSERT_EQ(completed.ended.stages.size(), 3u);
  for (const nr::Ended& stage : completed.ended.stages) EXPECT_EQ(exit_code(stage), 0);
}

TEST(Pipeline, OneStageIsAPipelineToo) {
  EngineFixture host;
  EXPECT_EQ(host.run(nr::Pipeline(nr::Command("echo", "alone"))).out.head, "alone\n");
}

TEST(Pipeline, TheFirstFailingStageFromTheRightDecides) {
  EngineFixture host;
  const auto failed = [&](const char* a, const char* b, const char* c) {
    return host.run(nr::Pipeline(sh(a), sh(b), sh(c))).ended;
  };
  EXPECT_EQ(failed("cat; exit 0", "cat; exit 0", "cat; exit 0").failed_stage(), 3u);
  EXPECT_EQ(failed("exit 1", "cat", "cat").failed_stage(), 0u);
  EXPECT_EQ(failed("exit 1", "cat; exit 2", "cat").failed_stage(), 1u);
  const nr::PipelineEnded all = failed("exit 1", "cat; exit 2", "cat; exit 3");
  EXPECT_EQ(all.failed_stage(), 2u);
  EXPECT_FALSE(all.success());
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(exit_code(all.stages[n]), static_cast<int>(n) + 1);
}

TEST(Pipeline, AnUpstreamThatDiesOfSigpipeIsNoFailure) {
  EngineFixture host;
  const auto completed =
      host.run(nr::Pipeline(nr::Command("yes"), nr::Command("cat"), nr::Command("head", "-n", "1")));
  EXPECT_EQ(completed.out.head, "y\n");
  EXPECT_TRUE(completed.success());
  EXPECT_EQ(end_signal(completed.ended.stages[0]), SIGPIPE);
  EXPECT_EQ(end_signal(completed.ended.stages[1]), SIGPIPE);
}

TEST(Pipeline, ASigpipeOfTheLastStageIsAFailure) {
  EngineFixture host;
  const auto completed = host.run(nr::Pipeline(nr::Command("echo", "a"), sh("kill -PIPE $$")));
  EXPECT_EQ(completed.ended.failed_stage(), 1u);
}

TEST(Pipeline, AHundredMegabytesGoThroughAndNoneOfThemThroughTheHost) {  // F5
  EngineFixture host({.shards = 1});
  const std::string bytes = std::to_string(is_sanitized() ? 30'000'000 : 100'000'000);
  const auto completed =
      host.run(nr::Pipeline(child("write_exact", bytes), nr::Command("cat"), child("check_pattern")));
  EXPECT_EQ(completed.out.head, bytes + " right\n");
  EXPECT_TRUE(completed.success());
  EXPECT_LE(host.shard_stats().buffered_bytes_peak, 64 * KiB);
}

TEST(Pipeline, EachStagesStderrIsItsOwn) {
  EngineFixture host;
  const auto completed = host.run(nr::Pipeline(sh("echo one >&2; head -c 1000000 /dev/zero >&2; echo x"),
                                               sh("cat; echo two >&2"), sh("cat; echo three >&2")),
                                  {.head_bytes = 4, .tail_bytes = 0});
  ASSERT_EQ(completed.err.size(), 3u);
  EXPECT_EQ(completed.err[0].head, "one\n");
  EXPECT_EQ(completed.err[0].total_bytes, 1'000'004u);
  EXPECT_EQ(completed.err[1].head, "two\n");
  EXPECT_EQ(completed.err[2].head, "thre");
  EXPECT_EQ(completed.out.head, "x\n");
}

TEST(Pipeline, TheFirstIsWrittenToAndTheLastIsRead) {
  EngineFixture host;
  auto pipeline = value_of(host.get(host->spawn(nr::Pipeline(
      nr::Command("cat").in(nr::Stdio::pipe()), nr::Command("cat"), nr::Command("tr", "a-z", "A-Z")))));
  value_of(nr::blocking::get(pipeline.first().write("shout\n"), verb_deadline()));
  value_of(nr::blocking::get(pipeline.first().close_input(), verb_deadline()));
  EXPECT_EQ(value_of(nr::blocking::read_all(pipeline.last())), "SHOUT\n");
  for (nr::Process& stage : pipeline.stages()) {
    EXPECT_TRUE(value_of(nr::blocking::get(stage.wait(), verb_deadline())).success());
  }
}

TEST(Pipeline, ASlowReaderAtItsEndSlowsItsBeginning) {
  EngineFixture host({.shards = 1, .pipe_bytes = 64 * KiB});
  Progress progress;
  auto pipeline = value_of(host.get(host->spawn(nr::Pipeline(
      child("flood", progress.path()), nr::Command("cat"),
      nr::Command("cat").out(nr::Stdio::pipe().window(4 * KiB))))));
  EXPECT_TRUE(eventually([&] { return progress.waited() > 0; }));
  // Three pipes, what each `cat` has in hand (128 KiB), and the window.
  EXPECT_TRUE(remains([&] { return progress.bytes() <= 3 * 64 * KiB + 2 * 128 * KiB + 4 * KiB; }, 500ms));
  pipeline.stop();
}

TEST(Pipeline, AStageThatCannotStartEndsTheOthersAndIsNamed) {
  EngineFixture host;
  const auto started = host.get(host->spawn(
      nr::Pipeline(nr::Command("yes"), nr::Command("/nonexistent/stage"), nr::Command("sleep", "600"))));
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, nr::ErrorCode::not_found);
  EXPECT_NE(started.error().message().find("/nonexistent/stage"), std::string::npos);
  EXPECT_TRUE(eventually([] { return processes_with_environment(current_mark()).empty(); }));
}

TEST(Pipeline, APipelineThatIsDroppedIsStopped) {
  EngineFixture host;
  {
    auto pipeline = value_of(host.get(host->spawn(
        nr::Pipeline(nr::Command("sleep", "600"), nr::Command("cat"), nr::Command("cat")))));
    EXPECT_TRUE(eventually([] { return processes_with_environment(current_mark()).size() == 3; }));
  }
  EXPECT_TRUE(eventually([] { return processes_with_environment(current_mark()).empty(); }));
}

TEST(Pipeline, ADeadlineOfOneStageEndsThatStage) {
  EngineFixture host;
  const nr::Command brief = nr::Command("sleep", "600").deadline(patience(300ms));
  const auto completed = host.run(nr::Pipeline(brief, nr::Command("cat")));
  EXPECT_EQ(completed.ended.stages[0].reason, nr::EndReason::deadline);
  EXPECT_TRUE(completed.ended.stages[1].success());
  EXPECT_EQ(completed.ended.failed_stage(), 0u);
}

TEST(Pipeline, TheEmptyOneIsRefused) {
  EngineFixture host;
  const auto started = host.get(host->spawn(nr::Pipeline(std::vector<nr::Command>{})));
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, nr::ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace tests
