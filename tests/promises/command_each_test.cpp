/// `netrunner each`: the same output as xargs, in whole pieces, in bounded memory, faster.

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

CommandResult each(std::vector<std::string> arguments, std::string_view input = {}) {
  arguments.insert(arguments.begin(), "each");
  return netrunner_command(std::move(arguments), input);
}

std::string numbers(int first, int last) {
  std::string text;
  for (int n = first; n <= last; ++n) text += std::to_string(n) + "\n";
  return text;
}

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

TEST(CommandEach, OutputEqualsThatOfXargs) {
  const std::string items = numbers(1, static_cast<int>(scaled(3000, 30)));
  const CommandResult theirs = netrunner_script("xargs -n1 -P8 echo", items);
  ASSERT_EQ(theirs.exit_status, 0) << theirs.err;
  const CommandResult ours = each({"-j", "8", "--", "echo"}, items);
  EXPECT_EQ(ours.exit_status, 0) << ours.err;
  EXPECT_EQ(ours.out.size(), items.size());
  EXPECT_EQ(sorted_lines(ours.out), sorted_lines(theirs.out));
}

TEST(CommandEach, InTheOrderOfTheItemsItEqualsOnePlainRun) {
  const std::string files = "find /usr/bin -type f -readable -print0 | LC_ALL=C sort -z | head -z -n " +
                            std::to_string(scaled(2000, 20));
  const CommandResult ours = netrunner_script(files + " | $NR each -0 -k -j 8 -- cksum {}");
  const CommandResult plain = netrunner_script(files + " | xargs -0 cksum");
  EXPECT_EQ(ours.exit_status, 0) << ours.err;
  EXPECT_EQ(ours.out, plain.out);
}

TEST(CommandEach, KeepingTheOrderWaitsForASlowFirstJob) {
  const CommandResult result = each({"-k", "-j", "4", "--", "sh", "-c", "test $1 -ne 1 || sleep 0.3; echo $1", "sh"},
                                    numbers(1, 40));
  EXPECT_EQ(result.out, numbers(1, 40));
}

TEST(CommandEach, TheOutputOfAJobStaysInOnePiece) {
  const CommandResult result =
      each({"-j", "8", "--", "sh", "-c", "for i in 1 2 3 4 5; do echo $1.$i; sleep 0.01; done", "sh"}, numbers(1, 30));
  std::istringstream stream(result.out);
  std::string line;
  for (int jobs = 0; jobs < 30; ++jobs) {
    std::string number;
    for (int part = 1; part <= 5; ++part) {
      ASSERT_TRUE(std::getline(stream, line));
      if (part == 1) number = line.substr(0, line.find('.'));
      EXPECT_EQ(line, number + "." + std::to_string(part));
    }
  }
}

TEST(CommandEach, OutputBeyondMemoryGoesThroughAFileAndNothingIsLost) {
  const TempFolder folder;
  const CommandResult result = netrunner_script(
      "TMPDIR=" + folder.path() + " $NR each -j 3 -k -- sh -c 'yes $1 | head -c 20000000' sh ::: a b c | cksum;"
      "for i in a b c; do yes $i | head -c 20000000; done | cksum");
  const std::size_t half = result.out.size() / 2;
  EXPECT_EQ(result.out.substr(0, half), result.out.substr(half));
  const CommandResult memory = each({"-j", "2", "--", "head", "-c", "200000000"}, "/dev/zero\n/dev/zero\n");
  EXPECT_EQ(memory.out.size(), 400000000u);
  EXPECT_LT(memory.max_rss_kib, is_sanitized() ? 400000 : 100000);
}

TEST(CommandEach, WithoutAnyPlaceForAFileNothingIsLostEither) {
  const CommandResult result = netrunner_script("TMPDIR=/proc $NR each -- head -c 5000000 ::: /dev/zero | wc -c");
  EXPECT_EQ(result.out, "5000000\n");
}

TEST(CommandEach, ReplacementStringsAreThoseOfParallel) {
  const auto shown = [](const std::string& word, const std::string& item) {
    return each({"--dry-run", "--", "x", word, ":::", item}).out;
  };
  EXPECT_EQ(shown("{}", "a/b.tar.gz"), "x a/b.tar.gz\n");
  EXPECT_EQ(shown("{.}", "a/b.tar.gz"), "x a/b.tar\n");
  EXPECT_EQ(shown("{.}", "a.d/b"), "x a.d/b\n");
  EXPECT_EQ(shown("{/}", "a/b.tar.gz"), "x b.tar.gz\n");
  EXPECT_EQ(shown("{//}", "a/b.tar.gz"), "x a\n");
  EXPECT_EQ(shown("{//}", "b"), "x .\n");
  EXPECT_EQ(shown("{//}", "/b"), "x /\n");
  EXPECT_EQ(shown("{/.}", "a/b.tar.gz"), "x b.tar\n");
  EXPECT_EQ(shown("{#}-{}-{}", "a"), "x 1-a-a\n");
  EXPECT_EQ(shown("plain", "a"), "x plain a\n");
  EXPECT_EQ(shown("{}", "it's \"two\" words"), "x 'it'\\''s \"two\" words'\n");
  EXPECT_EQ(shown("{}", "two\nlines"), "x 'two\nlines'\n") << "sh(1) need not know $'...'";
  EXPECT_EQ(each({"--dry-run", "--", "{}", "-v", ":::", "ls", "cp"}).out, "ls -v\ncp -v\n");
}

TEST(CommandEach, TheNumberAndTheSlotAreReplacedInJobsToo) {
  const CommandResult result = each({"-j", "3", "-k", "--", "echo", "{#}", "{%}"}, numbers(1, 60));
  std::istringstream stream(result.out);
  for (int n = 1; n <= 60; ++n) {
    int number = 0, slot = 0;
    stream >> number >> slot;
    EXPECT_EQ(number, n);
    EXPECT_TRUE(slot >= 1 && slot <= 3) << slot;
  }
}

TEST(CommandEach, ItemsMayHoldAnythingButTheSeparator) {
  EXPECT_EQ(each({"-k", "--", "printf", "<%s>"}, "a b\n\n  c\\n\nlast").out, "<a b><><  c\\n><last>");
  EXPECT_EQ(each({"-k", "-0", "--", "printf", "<%s>"}, std::string("a\nb\0c\0", 6)).out, "<a\nb><c>");
  EXPECT_EQ(each({"--", "echo"}, "").out, "");
  EXPECT_EQ(each({"--", "echo", ":::"}, "ignored\n").out, "");
}

TEST(CommandEach, TheExitStatusIsTheNumberOfFailures) {
  EXPECT_EQ(each({"--", "sh", "-c", "exit $1", "sh", ":::", "0", "0"}).exit_status, 0);
  EXPECT_EQ(each({"--", "sh", "-c", "exit $1", "sh", ":::", "1", "0", "7"}).exit_status, 2);
  EXPECT_EQ(each({"--", "sh", "-c", "kill -9 $$", "sh", ":::", "1"}).exit_status, 1);
  EXPECT_EQ(each({"--", "no-such-program", ":::", "1", "2"}).exit_status, 2);
  EXPECT_EQ(each({"--timeout", patience_text(100ms), "--", "sleep", ":::", "60"}).exit_status, 1);
  EXPECT_EQ(each({"-j", "8", "--", "false"}, numbers(1, 150)).exit_status, 101);
}

TEST(CommandEach, TheFirstFailureStopsEverythingWhereThatIsWanted) {
  const CommandResult result =
      each({"-j", "2", "--halt-on-failure", "--", "sh", "-c",
            "test $1 -ne 3 || exit 9; test $1 -lt 3 || sleep 60", "sh"},
           numbers(1, 1000));
  EXPECT_EQ(result.exit_status, 9) << result.err;
  EXPECT_LT(result.seconds, 30);
}

TEST(CommandEach, AfterAFailureThatHaltsNoJobIsBegunAndTheBooksSayHowManyWereNot) {
  const TempFolder folder;
  for (int time = 0; time < 10; ++time) {
    const CommandResult result = netrunner_script(
        "cd " + folder.path() + "; rm -f *; $NR each --halt-on-failure --json -j1 --joblog log -- touch ran.{} "
        "/no/such/{} ::: 1 2 3 4; ls ran.*; wc -l <log");
    EXPECT_EQ(result.out, "ran.1\n2\n") << "a job, and a line for it below the heading";
    const std::string json = result.err.substr(result.err.rfind('{'));
    EXPECT_EQ(json_value(json, "jobs"), "1");
    EXPECT_EQ(json_value(json, "failed"), "1");
    EXPECT_EQ(json_value(json, "not_started"), "3");
  }
  const std::string words = each({"--halt-on-failure", "-j1", "--", "false", ":::", "1", "2", "3"}).err;
  EXPECT_TRUE(words.starts_with("netrunner each: 1 done, 1 failed, in ")) << words;
  EXPECT_TRUE(words.ends_with("; not started: 2\n")) << words;
}

TEST(CommandEach, TheJobLogHasTheColumnsOfParallel) {
  const TempFolder folder;
  const std::string log = folder / "log";
  const std::string script = "echo hi; eval \"$1\"";
  (void)each({"-j", "1", "--joblog", log, "--", "sh", "-c", script, "sh", ":::", "true", "exit 3", "kill -9 $$"});
  std::istringstream stream(file_text(log));
  std::string line;
  ASSERT_TRUE(std::getline(stream, line));
  EXPECT_EQ(line, "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand");
  const std::string command = "sh -c '" + script + "' sh ";
  const std::vector<std::string> ends = {"0\t3\t0\t0\t" + command + "true", "0\t3\t3\t0\t" + command + "'exit 3'",
                                         "0\t3\t0\t9\t" + command + "'kill -9 $$'"};
  for (std::size_t n = 0; n < ends.size(); ++n) {
    ASSERT_TRUE(std::getline(stream, line));
    EXPECT_TRUE(line.starts_with(std::to_string(n + 1) + "\t:\t")) << line;
    EXPECT_TRUE(line.ends_with(ends[n])) << line;
    EXPECT_EQ(std::ranges::count(line, '\t'), 8) << line;
  }
}

TEST(CommandEach, ASummaryComesLastOnStandardError) {
  const std::string words = each({"--", "sh", "-c", "exit $1", "sh", ":::", "0", "1"}).err;
  EXPECT_TRUE(words.starts_with("netrunner each: 2 done, 1 failed, in ")) << words;
  const std::string json = each({"--json", "--", "sh", "-c", "exit $1", "sh", ":::", "0", "1"}).err;
  EXPECT_EQ(json_value(json, "jobs"), "2");
  EXPECT_EQ(json_value(json, "failed"), "1");
  EXPECT_EQ(json_value(json, "exit_status"), "1");
}

TEST(CommandEach, TheLiveLineIsForTerminalsOnly) {
  EXPECT_EQ(each({"--progress", "--", "sleep", ":::", "0.3"}).err.find('\r'), std::string::npos);
  const auto on_terminal = [](const std::string& options) {
    const std::string script = std::string(command_path()) + " each -j 2 " + options + " -- sleep ::: 0.3 0.3 0.3";
    return CommandLine({"script", "-qec", script, "/dev/null"}).wait();
  };
  const CommandResult terminal = on_terminal("");
  EXPECT_NE(terminal.out.find("/3 done, 2 running, 0 failed"), std::string::npos) << terminal.out;
  const CommandResult quiet = on_terminal("--no-progress");
  EXPECT_EQ(quiet.out.find("running"), std::string::npos) << "no live line was wanted: " << quiet.out;
}

TEST(CommandEach, JobsHaveTheEnvironmentAndTheDirectoryThatWereAskedFor) {
  const std::string script = "echo $NR_A $1; pwd";
  const CommandResult result =
      each({"--cwd", "/usr/bin", "--env", "NR_A=1", "--", "sh", "-c", script, "sh", ":::", "x"});
  EXPECT_EQ(result.out, "1 x\n/usr/bin\n");
  EXPECT_EQ(each({"--env", "PATH=/nowhere", "--", "true", ":::", "x"}).exit_status, 1) << "PATH is the job's own";
}

TEST(CommandEach, ItemsMayComeFromAFileAndNothingNeedBeSaidAtTheEnd) {
  const TempFolder folder;
  const CommandResult result = netrunner_script("seq 3 >" + (folder / "items") + "; echo no | $NR each -k --quiet -a " +
                                                (folder / "items") + " -- echo");
  EXPECT_EQ(result.out, "1\n2\n3\n");
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(each({"-a", "/no/such/items", "--", "echo"}).exit_status, 125);
}

TEST(CommandEach, JobsDoNotReadTheItems) {
  EXPECT_EQ(each({"-j", "1", "--", "sh", "-c", "cat; echo $1", "sh"}, numbers(1, 5)).out, numbers(1, 5));
}

TEST(CommandEach, ItemsAreRunAsTheyCome) {
  const TempFolder folder;
  // The second item is written only when the first one's job has run.
  const CommandResult result = netrunner_script(
      "cd " + folder.path() +
      "; { echo first; while ! test -e first; do sleep 0.01; done; echo second; } | timeout 60 $NR each -- touch; ls");
  EXPECT_EQ(result.out, "first\nsecond\n");
}

TEST(CommandEach, AnInterruptStopsWhatRunsAndStartsNoMore) {
  for (const int signal : {SIGINT, SIGTERM}) {
    CommandLine line(netrunner_argv({"each", "-j", "3", "--", "sleep", "{}.4242"}), "60\n61\n62\n63\n64\n");
    for (const char* job : {"sleep 60.4242", "sleep 61.4242", "sleep 62.4242"}) {
      EXPECT_TRUE(eventually([&] { return !processes_with_arguments(job).empty(); }));
    }
    line.signal(signal);
    const CommandResult result = line.wait();
    EXPECT_EQ(result.exit_status, 128 + signal);
    EXPECT_LT(result.seconds, 30);
    EXPECT_NE(result.err.find("3 done, 3 failed, interrupted"), std::string::npos) << result.err;
    EXPECT_TRUE(processes_with_arguments(".4242").empty());
  }
}

TEST(CommandEach, AnInterruptEndsAWaitForItems) {
  const TempFolder folder;
  // It holds the fifo open itself, so there is neither an item nor an end.
  CommandLine line({"/bin/sh", "-c",
                    "mkfifo $1; exec 9<>$1; echo one >&9; exec $2 each -- echo <$1", "sh", folder / "items",
                    command_path()});
  EXPECT_TRUE(eventually([&] { return line.out() == "one\n"; }));
  line.signal(SIGINT);
  EXPECT_EQ(line.wait().exit_status, 130);
}

TEST(CommandEach, AReaderThatLeavesEndsAll) {
  const CommandResult result = netrunner_script("{ yes | $NR each -j 4 -- echo; echo $? >&2; } | head -1");
  EXPECT_EQ(result.out, "y\n");
  EXPECT_NE(result.err.find("141\n"), std::string::npos) << result.err;
}

TEST(CommandEach, AHundredThousandItemsRunInBoundedMemoryInTheCrowd) {
  const int items = static_cast<int>(scaled(100'000, 5'000));
  const std::string input = numbers(1, items);
  const CommandResult result = each({"-j", "8", "-k", "--", "echo"}, input);
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_TRUE(result.out == input);
  EXPECT_LT(result.max_rss_kib, is_sanitized() ? 300'000 : 64 * 1024);
}

}  // namespace
}  // namespace tests
