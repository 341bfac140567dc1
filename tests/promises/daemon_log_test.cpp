/// Where the output of a kept command goes: whole lines, rotated, reopened, to callbacks and loggers; a slow taker
/// slows the command and nobody else.

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/daemon.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/progress.hpp"

namespace tests {
namespace {

using nr::DaemonState;

nr::DaemonOptions once(nr::DaemonOutput output) {
  nr::DaemonOptions options = quick();
  options.restart = nr::Restart::never;
  options.output = std::move(output);
  return options;
}

/// All lines of all files of a folder whose name begins with `log`; a file that doesn't end with a line is a failure.
std::map<std::string, int> lines_in(const std::string& folder) {
  std::map<std::string, int> lines;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("log")) continue;
    const std::string text = file_text(entry.path());
    EXPECT_TRUE(text.empty() || text.ends_with('\n')) << entry.path();
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) ++lines[line];
  }
  return lines;
}

TEST(DaemonLog, RotatedFilesHoldEveryLineWholeAndOnce) {  // N4
  EngineFixture host;
  const TempFolder folder;
  const std::size_t count = scaled(1'000'000, 20'000);
  nr::DaemonOptions options = once(nr::DaemonOutput::file(folder / "log", {.bytes_max = 1 * MiB, .files = 1000}));
  const std::string json = R"({"number": %06d, "text": ")" + std::string(270, 'x') + R"("})";
  const nr::Command awk("awk", "-v", "n=" + std::to_string(count), "-v", "f=" + json,
                        R"(BEGIN { for (i = 0; i < n; i++) printf f "\n", i })");
  const Kept kept(host, awk, options);
  const nr::DaemonStatus status = kept.await_end();
  EXPECT_EQ(status.state, DaemonState::stopped);
  EXPECT_EQ(status.log.lines, count);
  EXPECT_EQ(status.log.dropped_lines, 0U);
  EXPECT_GE(status.log.rotations, count * 300 / (1 * MiB));
  std::size_t number = 0;
  const auto lines = lines_in(folder.path());
  EXPECT_EQ(lines.size(), count);
  for (const auto& [line, times] : lines) {
    char expected[400];
    (void)std::snprintf(expected, sizeof expected, json.c_str(), static_cast<int>(number++));
    ASSERT_EQ(line, expected);
    ASSERT_EQ(times, 1);
  }
}

TEST(DaemonLog, AfterARenameAndAReopenEveryLineIsInExactlyOneFile) {  // N3
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = quick();
  options.output = nr::DaemonOutput::file(folder / "log");
  const Kept kept(host, sh("trap 'exit 0' TERM; i=0; while :; do echo $i; i=$((i + 1)); done"), options);
  const std::size_t rounds = scaled(100, 20);
  const pid_t before = kept.status().pid;
  for (std::size_t round = 0; round < rounds; ++round) {
    ASSERT_TRUE(eventually([&] { return kept->status().log.reopened == round && !file_text(folder / "log").empty(); }));
    std::filesystem::rename(folder / "log", folder / ("log." + std::to_string(round)));
    kept->reopen_log();
  }
  const nr::DaemonStatus status = kept.stop();
  EXPECT_TRUE(before == 0 || status.instances[0].starts == 1) << "the command is not touched";
  const auto lines = lines_in(folder.path());
  EXPECT_EQ(lines.size(), status.log.lines);
  for (std::size_t number = 0; number < lines.size(); ++number) {
    ASSERT_EQ(lines.count(std::to_string(number)), 1U) << number;
    ASSERT_EQ(lines.at(std::to_string(number)), 1) << number;
  }
}

TEST(DaemonLog, ARemovedFileIsMadeAnewWithoutAnOrder) {  // N3
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = quick();
  options.output = nr::DaemonOutput::file(folder / "log");
  const Kept kept(host, sh("while :; do echo line; sleep 0.01; done"), options);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    EXPECT_TRUE(eventually([&] { return !file_text(folder / "log").empty(); }));
    std::filesystem::remove(folder / "log");
    EXPECT_TRUE(eventually([&] { return kept->status().log.reopened == round; }));
  }
}

TEST(DaemonLog, LinesOfManyWritersAreNotMixed) {  // N4
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = once(nr::DaemonOutput::file(folder / "log").prefix("{i}: "));
  options.instances = 4;
  // In pieces that are no lines, on both streams.
  const Kept kept(host, python("import os,sys\n"
                               "for n in range(2000):\n"
                               "  for fd in (1, 2):\n"
                               "    os.write(fd, b'abc'); os.write(fd, b'def\\n')\n"),
                  options);
  (void)kept.await_end();
  const auto lines = lines_in(folder.path());
  EXPECT_EQ(lines.size(), 4U);
  for (const auto& [line, times] : lines) {
    EXPECT_TRUE(line.ends_with(": abcdef")) << line;
    EXPECT_EQ(times, 4000) << line;
  }
}

struct Taken {
  std::string text;
  nr::Stream stream;
  nr::LineEnd end;
  bool continues;
  friend bool operator==(const Taken&, const Taken&) = default;
};

TEST(DaemonLog, ACallbackGetsLinesWithTheirStreamAndFlags) {
  EngineFixture host;
  std::vector<Taken> taken;  // Read after the end, which comes after the last of them.
  nr::DaemonOptions options = once(nr::DaemonOutput::lines([&](const nr::DaemonLine& line) {
    taken.push_back({std::string(line.text), line.stream, line.end, line.continues});
  }));
  options.line_bytes_max = 64;
  const std::string piece(64, 'x');
  {
    const Kept kept(host, sh("printf 'one\\n\\ntwo\\r\\n" + piece + piece + "yz\\nno end'"), options);
    const nr::DaemonStatus status = kept.await_end();
    EXPECT_EQ(status.log.lines, 7U);
    EXPECT_EQ(status.log.split_lines, 2U);
    EXPECT_EQ(status.log.bytes, 4U + 1 + 5 + 64 + 64 + 3 + 6);
  }
  using enum nr::LineEnd;
  constexpr nr::Stream out = nr::Stream::out;
  EXPECT_EQ(taken, (std::vector<Taken>{{"one", out, newline, false},
                                       {"", out, newline, false},
                                       {"two", out, crlf, false},
                                       {piece, out, cut, false},
                                       {piece, out, cut, true},
                                       {"yz", out, newline, true},
                                       {"no end", out, none, false}}));
}

TEST(DaemonLog, AFileHasTheBytesAsTheyWere) {
  EngineFixture host;
  const TempFolder folder;
  (void)Kept(host, sh("printf 'one\\r\\n\\ntwo'"), once(nr::DaemonOutput::file(folder / "log"))).await_end();
  EXPECT_EQ(file_text(folder / "log"), "one\r\n\ntwo\n") << "but for an end of the last line";
}

TEST(DaemonLog, ALoggerGetsLinesWithAPrefixAndALevelForEachStream) {
  EngineFixture host;
  std::vector<std::string> logged;
  const nr::Logger logger([&](nr::LogLevel level, std::string_view line) {
    logged.push_back((level == nr::LogLevel::warning ? "warning " : "info ") + std::string(line));
  });
  nr::DaemonOptions options = once(nr::DaemonOutput::logger(logger).prefix("web {i}: "));
  (void)Kept(host, sh("echo fine; sleep 0.2; echo bad >&2"), options).await_end();
  EXPECT_EQ(logged, (std::vector<std::string>{"info web 0: fine", "warning web 0: bad"}));
}

TEST(DaemonLog, ATakerThatStandsStillHoldsItsCommandAndNobodyElse) {
  EngineFixture host({.shards = 1});
  std::mutex mutex;
  std::condition_variable changed;
  bool open = false;
  const nr::DaemonOptions options = once(nr::DaemonOutput::lines([&](const nr::DaemonLine& /*line*/) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return open; });
  }));
  const std::uint64_t bytes = 4 * MiB;
  const Kept kept(host, sh("yes | head -c " + std::to_string(bytes)), options);
  kept.await_ready();
  const auto read_bytes = [&] { return value_of(host.get(kept->stats())).streams.at(0).bytes; };
  EXPECT_TRUE(eventually([&] { return read_bytes() == 256 * KiB; })) << "the window, and no byte more";
  // The shard goes on.
  for (int round = 0; round < 20; ++round) EXPECT_EQ(exit_code(host.run(nr::Command("true")).ended), 0);
  EXPECT_TRUE(remains([&] { return read_bytes() == 256 * KiB; }));
  {
    const std::lock_guard guard(mutex);
    open = true;
    changed.notify_all();
  }
  EXPECT_EQ(kept.await_end().log.bytes, bytes);
}

TEST(DaemonLog, WhatTheCommandItselfWantsForItsStreamsIsKept) {
  EngineFixture host;
  const TempFolder folder;
  const nr::DaemonOptions options = once(nr::DaemonOutput::file(folder / "log"));
  (void)Kept(host,
             sh("echo to the file; echo to the log >&2")
                 .out(nr::Stdio::file(folder / "own", nr::Stdio::FileMode::truncate)),
             options)
      .await_end();
  EXPECT_EQ(file_text(folder / "own"), "to the file\n");
  EXPECT_EQ(file_text(folder / "log"), "to the log\n");
}

}  // namespace
}  // namespace tests
