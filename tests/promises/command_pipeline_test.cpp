/// `netrunner pipeline`: bytes, ends, and what passes through the engine.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

CommandResult pipeline(std::vector<std::string> arguments, std::string_view input = {}) {
  arguments.insert(arguments.begin(), "pipeline");
  return netrunner_command(std::move(arguments), input);
}

TEST(CommandPipeline, TheOutputOfEachIsTheInputOfTheNext) {
  const CommandResult result = pipeline({"--", "cat", ":::", "sort", "-n", ":::", "tail", "-n1"}, "3\n20\n1\n");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, "20\n");
  EXPECT_EQ(result.err, "");
}

TEST(CommandPipeline, OneCommandIsAPipelineToo) { EXPECT_EQ(pipeline({"--", "echo", "alone"}).out, "alone\n"); }

TEST(CommandPipeline, TheLastFailureInTheLineDecides) {
  EXPECT_EQ(pipeline({"--", "sh", "-c", "exit 3", ":::", "cat"}).exit_status, 3);
  EXPECT_EQ(pipeline({"--", "sh", "-c", "exit 3", ":::", "sh", "-c", "cat; exit 4", ":::", "cat"}).exit_status, 4);
  EXPECT_EQ(pipeline({"--", "true", ":::", "no-such-program", ":::", "cat"}).exit_status, 127);
  EXPECT_EQ(pipeline({"--timeout", patience_text(100ms), "--", "sleep", "60", ":::", "cat"}).exit_status, 124);
}

TEST(CommandPipeline, AFailureNamesTheCommand) {
  const CommandResult result = pipeline({"--", "sh", "-c", "exit 3", ":::", "cat"});
  EXPECT_EQ(result.err, "netrunner pipeline: sh -c 'exit 3': exited 3\n");
}

TEST(CommandPipeline, ACommandThatHadEnoughEndsTheOthersAndNothingFailed) {
  const CommandResult result = pipeline({"--report", "-", "--", "yes", ":::", "head", "-n1"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_TRUE(result.out.starts_with("y\n{"));
  EXPECT_EQ(json_value(result.out, "success"), "true");
  EXPECT_EQ(json_value(result.out, "failed_stage"), "null");
  EXPECT_EQ(json_value(result.out, "signal"), std::to_string(SIGPIPE));
}

TEST(CommandPipeline, BytesBetweenTheCommandsDoNotPassThroughTheEngine) {
  const TempFolder folder;
  const std::string report = folder / "report";
  const CommandResult result =
      pipeline({"--report", report, "--", "head", "-c", "67108864", "/dev/zero", ":::", "tr", "\\0", "a", ":::",
                "wc", "-c"});
  EXPECT_EQ(result.out, "67108864\n");
  const std::string peak = json_value(file_text(report), "peak_buffered_bytes");
  ASSERT_FALSE(peak.empty());
  EXPECT_LE(std::stol(peak), 65536) << "only the last command's eight letters and a newline come to us";
}

TEST(CommandPipeline, ALargeOutputOfTheLastIsBufferedWithinItsWindowOnly) {
  const TempFolder folder;
  const std::string report = folder / "report";
  const CommandResult result = netrunner_script("$NR pipeline --report " + report +
                                                " -- head -c 33554432 /dev/zero ::: cat | (sleep 0.2; wc -c)");
  EXPECT_EQ(std::stol(result.out), 33554432);
  EXPECT_LE(std::stol("0" + json_value(file_text(report), "peak_buffered_bytes")), 1024 * 1024);
  EXPECT_NE(file_text(report).find("\"bytes_out\": 33554432"), std::string::npos);
}

TEST(CommandPipeline, TerminationStopsEachOfThem) {
  CommandLine line(netrunner_argv({"pipeline", "--", "sh", "-c", "echo ready; exec sleep 60", ":::", "cat"}));
  EXPECT_TRUE(eventually([&] { return line.out() == "ready\n"; }));
  line.signal(SIGTERM);
  EXPECT_EQ(line.wait().exit_status, 143);
}

TEST(CommandPipeline, AReaderThatLeavesEndsAll) {
  const CommandResult result = netrunner_script("{ $NR pipeline -- yes ::: cat; echo $? >&2; } | head -1");
  EXPECT_EQ(result.out, "y\n");
  EXPECT_TRUE(result.err.ends_with("141\n")) << result.err;
}

}  // namespace
}  // namespace tests
