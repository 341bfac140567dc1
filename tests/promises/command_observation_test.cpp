/// What `netrunner` shows of what it does: events as lines of JSON, figures, the engine's log, lines with a prefix.

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream all(text);
  for (std::string line; std::getline(all, line);) lines.push_back(line);
  return lines;
}

/// The kinds of the events of command 1, neighbours of one kind once.
std::string kinds_of(const std::vector<std::string>& lines) {
  std::string kinds, before;
  for (const std::string& line : lines) {
    const std::string kind = json_value(line, "event");
    if (json_value(line, "command") == "1" && kind != before) kinds += (kinds.empty() ? "" : " ") + kind;
    if (json_value(line, "command") == "1") before = kind;
  }
  return kinds;
}

std::string line_of(const std::vector<std::string>& lines, const std::string& kind) {
  const auto found = std::ranges::find_if(lines, [&](const auto& line) { return json_value(line, "event") == kind; });
  return found == lines.end() ? std::string() : *found;
}

TEST(CommandObservation, EventsAreLinesOfJson) {
  const TempFolder folder;
  const CommandResult ended =
      netrunner_command({"run", "--events", folder / "events", "--", "sh", "-c", "echo hello; echo bye >&2; exit 3"});
  EXPECT_EQ(ended.exit_status, 3);
  EXPECT_EQ(ended.out, "hello\n");
  const auto lines = lines_of(file_text(folder / "events"));
  ASSERT_FALSE(lines.empty());
  for (const std::string& line : lines) EXPECT_TRUE(line.starts_with("{\"event\":\"") && line.ends_with("}")) << line;
  const std::string kinds = kinds_of(lines);
  EXPECT_TRUE(kinds.starts_with("queued spawned exec ")) << kinds;
  EXPECT_TRUE(kinds.ends_with(" drained gone")) << kinds;
  const std::string output = line_of(lines, "output");
  EXPECT_EQ(json_value(output, "program"), "sh");
  EXPECT_EQ(json_value(line_of(lines, "exited"), "code"), "3");
  EXPECT_EQ(json_value(line_of(lines, "gone"), "reason"), "exited");
  EXPECT_TRUE(json_value(output, "time").ends_with("Z")) << output;
  EXPECT_EQ(json_value(line_of(lines, "queued"), "pid"), "null");
}

TEST(CommandObservation, EventsSayWhyAndHowItWasStopped) {
  const TempFolder folder;
  const std::string timeout = patience_text(400ms);
  const CommandResult result = netrunner_command(
      {"run", "--events", folder / "events", "--timeout", timeout, "--ladder", "INT:50s,KILL", "--", "sleep", "1000"});
  EXPECT_EQ(result.exit_status, 124);
  const auto lines = lines_of(file_text(folder / "events"));
  EXPECT_EQ(kinds_of(lines), "queued spawned exec limit signal exited drained gone");
  EXPECT_EQ(json_value(line_of(lines, "limit"), "reason"), "deadline");
  EXPECT_EQ(json_value(line_of(lines, "signal"), "name"), "SIGINT");
  EXPECT_EQ(json_value(line_of(lines, "gone"), "status"), "killed by SIGINT");
}

TEST(CommandObservation, EventsAndReportShowTheStopCommandsOfTheLadder) {
  const TempFolder folder;
  const CommandResult result = netrunner_command(
      {"run", "--events", folder / "events", "--report", folder / "report", "--timeout", patience_text(300ms),
       "--ladder", "exec(exit 1; :):" + patience_text(100ms) + ",exec(kill -USR1 $NETRUNNER_PID):60s", "--", "sh", "-c",
       "trap 'exit 5' USR1; while :; do sleep 0.05; done"});
  EXPECT_EQ(result.exit_status, 124) << result.err;
  const auto lines = lines_of(file_text(folder / "events"));
  EXPECT_EQ(kinds_of(lines), "queued spawned exec limit stop_command exited drained gone");
  const std::string line = line_of(lines, "stop_command");
  EXPECT_EQ(json_value(line, "stop_program"), "/bin/sh");
  EXPECT_GT(std::stol("0" + json_value(line, "stop_pid")), 0) << line;
  EXPECT_EQ(json_value(line, "message"), "null");
  EXPECT_NE(file_text(folder / "report").find("\"stop_commands\""), std::string::npos);
}

TEST(CommandObservation, AFailedStartIsAnEventToo) {
  const TempFolder folder;
  EXPECT_EQ(netrunner_command({"run", "--events", folder / "events", "--", "no-such-program"}).exit_status, 127);
  const std::string line = line_of(lines_of(file_text(folder / "events")), "start_failed");
  EXPECT_EQ(json_value(line, "code"), "not_found");
  EXPECT_NE(line.find("no-such-program: No such file or directory"), std::string::npos) << line;
}

TEST(CommandObservation, AnEventFileThatNobodyReadsHoldsNothingUp) {
  const TempFolder folder;
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  ASSERT_GT(::fcntl(reader, F_SETPIPE_SZ, 4096), 0);
  // Each line of it is an event, and the fifo takes a dozen of them: the command ends all the same.
  CommandLine running(netrunner_argv({"run", "--events", fifo, "--", "sh", "-c",
                                      "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i+1)); done; echo over >&2"}));
  EXPECT_TRUE(eventually([&] { return running.err().find("over") != std::string::npos; }));
  ::close(reader);  // It leaves without reading: netrunner doesn't wait for another.
  EXPECT_EQ(running.wait().exit_status, 0);
}

TEST(CommandObservation, AFileThatCannotBeWrittenIsSaidBeforeAnythingStarts) {
  const TempFolder folder;
  const std::string touched = folder / "touched";
  for (const char* option : {"--events", "--stats"}) {
    const CommandResult result = netrunner_command({"run", option, folder / "no/file", "--", "touch", touched});
    EXPECT_EQ(result.exit_status, 125);
    EXPECT_NE(result.err.find(option), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("no/file"), std::string::npos) << result.err;
  }
  EXPECT_NE(::access(touched.c_str(), F_OK), 0);
}

TEST(CommandObservation, TheFiguresOfTheEngineAreJson) {
  const CommandResult result = netrunner_command({"run", "--stats", "-", "--streams", "pipe", "--", "echo", "hello"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_TRUE(result.out.starts_with("hello\n{")) << result.out;
  EXPECT_EQ(json_value(result.out, "started"), "1");
  EXPECT_EQ(json_value(result.out, "exited"), "1");
  EXPECT_EQ(json_value(result.out, "read_bytes"), "6");
  EXPECT_EQ(json_value(result.out, "running"), "0");
  EXPECT_GT(std::stol("0" + json_value(result.out, "p50_us")), 0) << result.out;
}

TEST(CommandObservation, EachAndPipelineShowTheSame) {
  const TempFolder folder;
  const CommandResult each = netrunner_command({"each", "-j", "4", "--events", folder / "each", "--stats",
                                                folder / "stats", "--", "echo", ":::", "a", "b", "c", "d", "e"});
  EXPECT_EQ(each.exit_status, 0);
  const auto lines = lines_of(file_text(folder / "each"));
  EXPECT_EQ(std::ranges::count_if(lines, [](const auto& line) { return json_value(line, "event") == "gone"; }), 5);
  EXPECT_EQ(json_value(file_text(folder / "stats"), "started"), "5");
  EXPECT_EQ(netrunner_command({"pipeline", "--events", folder / "pipeline", "--", "seq", "10", ":::", "wc", "-l"}).out,
            "10\n");
  EXPECT_NE(line_of(lines_of(file_text(folder / "pipeline")), "gone"), "");
}

TEST(CommandObservation, TheEnginesLogIsShownToThoseWhoAsk) {
  EXPECT_EQ(netrunner_command({"run", "--", "true"}).err, "");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--verbose", "run", "--", "true"}, {"run", "--verbose", "--", "true"}}) {
    const std::string err = netrunner_command(words).err;
    EXPECT_NE(err.find("netrunner: debug: command 1 (true, pid "), std::string::npos) << err;
    EXPECT_NE(err.find("containment: "), std::string::npos) << err;
  }
  EXPECT_EQ(netrunner_script("NETRUNNER_LOG=error $NR run -- true").err, "");
  const std::string info = netrunner_script("NETRUNNER_LOG=info $NR run -- true").err;
  EXPECT_NE(info.find("netrunner: info: containment: "), std::string::npos) << info;
  EXPECT_EQ(info.find("debug"), std::string::npos) << info;
  EXPECT_NE(netrunner_script("NETRUNNER_LOG=loud $NR run -- true").err.find("'loud'"), std::string::npos);
}

TEST(CommandObservation, EachLineOfOutputMayHaveAPrefix) {
  const std::string script = "printf 'a\\r\\nb'; sleep 0.05; printf 'c\\nlast'; echo e >&2";
  const CommandResult result = netrunner_command({"run", "--prefix", "job1: ", "--", "sh", "-c", script});
  EXPECT_EQ(result.out, "job1: a\r\njob1: bc\njob1: last");
  EXPECT_EQ(result.err, "job1: e\n");
}

TEST(CommandObservation, ALongLineHasItsPrefixOnce) {
  const std::string script = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo y";
  const CommandResult result = netrunner_command({"run", "--prefix", ">", "--", "sh", "-c", script});
  EXPECT_EQ(result.out.size(), 300'000u + 1 + 1 + 3);
  EXPECT_EQ(std::ranges::count(result.out, '>'), 2);
}

}  // namespace
}  // namespace tests
