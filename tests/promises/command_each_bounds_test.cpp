/// `netrunner each` where something is scarce: descriptors, room for output, a reader.

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

TEST(CommandEachBounds, AJobWaitsForASlotRatherThanFailForWantOfADescriptor) {
  const CommandResult result =
      netrunner_script("ulimit -n 200; seq 300 | $NR each -j 300 --json -- sh -c 'sleep 0.2; ulimit -n' | sort -u");
  EXPECT_EQ(result.out, "200\n");
  EXPECT_NE(result.err.find(" jobs at a time instead of 300: the hard limit is 200 descriptors"), std::string::npos)
      << result.err;
  const std::string json = result.err.substr(result.err.rfind('{'));
  EXPECT_EQ(json_value(json, "jobs"), "300");
  EXPECT_EQ(json_value(json, "failed"), "0") << result.err;
}

TEST(CommandEachBounds, TheHardLimitIsUsedAndTheJobsHaveTheSoftOne) {
  const CommandResult result =
      netrunner_script("ulimit -Sn 64; seq 200 | $NR each -j 200 --json -- sh -c 'sleep 0.2; ulimit -n' | sort -u");
  EXPECT_EQ(result.out, "64\n");
  EXPECT_EQ(json_value(result.err, "failed"), "0") << result.err;
}

TEST(CommandEachBounds, AJobThatWritesTooMuchIsStoppedAndHasFailed) {
  const CommandResult stopped = netrunner_command({"each", "--output-limit", "1000", "--", "yes", ":::", "1"});
  EXPECT_EQ(stopped.out.size(), 1000u);
  EXPECT_EQ(stopped.exit_status, 1);
  EXPECT_NE(stopped.err.find("netrunner each: job 1: output_limit; killed by SIG"), std::string::npos) << stopped.err;
  const CommandResult cut = netrunner_command({"each", "--output-limit", "4", "--truncate", "--", "seq", ":::", "99"});
  EXPECT_EQ(cut.out, "1\n2\n");
  EXPECT_EQ(cut.exit_status, 0) << cut.err;
}

TEST(CommandEachBounds, AReaderThatLeftIsSeenWhileTheJobRuns) {
  const CommandResult result = netrunner_script("{ $NR each -j1 -- yes ::: 1; echo $? >&2; } | true");
  EXPECT_NE(result.err.find("141\n"), std::string::npos) << result.err;
}

TEST(CommandEachBounds, SignalsThatArePassedOnMeanwhileHoldUpNothing) {
  const TempFolder folder;
  const std::string fifo = folder / "out";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  const std::string job = "trap '' TERM; while :; do echo x; sleep 0.05; done # " + folder.path();
  CommandLine line({"/bin/sh", "-c", "exec \"$@\" >" + fifo, "sh", command_path(), "each", "-j", "16", "--ladder",
                    "TERM:300ms,KILL", "--", "sh", "-c", job, "sh", ":::", "1", "2", "3", "4", "5", "6", "7", "8", "9",
                    "10", "11", "12", "13", "14", "15", "16"});
  EXPECT_TRUE(eventually([&] { return processes_with_arguments(folder.path()).size() > 16; }));  // And netrunner.
  close(reader);
  ASSERT_TRUE(eventually([&] {
    line.signal(SIGWINCH);
    return process_state(line.pid()) == 'Z';
  }));
  EXPECT_EQ(line.wait().exit_status, 141);
}

// Job 1 takes long, so those after it wait to be printed until no more is begun for want of descriptors. Then 23 to 26
// get slots at once, one after the other: to make the words of 24 takes so long that another slot begins those from 27
// on meanwhile. 30 fails, so 25 is not begun, and its turn never comes.
TEST(CommandEachBounds, InOrderTooAllThatRanIsPrintedThoughOneBeforeItWasNotBegun) {
  const TempFolder folder;
  const CommandResult result = netrunner_script("cd " + folder.path() + R"(; ulimit -n 120
      { echo slow; seq 2 23; head -c 100000 /dev/zero | tr '\0' b; echo; seq 25 29; echo bad; seq 31 200; } |
      $NR each -k -j 4 --halt-on-failure -- sh -c \
          'case $1 in slow) sleep 0.3 ;; bad) exit 1 ;; esac; echo $1; echo $1 >>ran' sh $(yes '{}' | head -n 400) >out
      test $? = 1 && head -n 3 out && sort -o out out && sort ran | comm -23 - out)");
  EXPECT_EQ(result.out, "slow\n2\n3\n") << "after the third line: what ran and was not printed";
}

TEST(CommandEachBounds, OutputThatCannotBeKeptEndsTheRunWithAnError) {
  const CommandResult result = netrunner_script(
      "trap '' XFSZ; ulimit -f 4000; { $NR each -j1 -- head -c 9000000 ::: /dev/zero; echo $? >&2; } | wc -c");
  EXPECT_NE(result.err.find("the output of a job, in TMPDIR: File too large; some of it is lost"), std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("\n255\n"), std::string::npos) << result.err;
}

TEST(CommandEachBounds, AnItemThatIsTooLongIsAFailedJobAndTheOthersRun) {
  const std::string items = "ok1\n" + std::string(300'000, 'a') + "\nok2\n" + std::string(140'000, 'b');
  const CommandResult result = netrunner_command({"each", "-k", "-j1", "--", "echo"}, items);
  EXPECT_EQ(result.out, "ok1\nok2\n");
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_NE(result.err.find("job 2: exec item of more than 131071 bytes"), std::string::npos) << result.err;
  const CommandResult part = netrunner_command({"each", "-k", "-j1", "--", "echo", "{/}"}, "x/" + items);
  EXPECT_EQ(part.out, "ok1\nok2\n") << "a part of what was read of one is no item";
}

TEST(CommandEachBounds, TheJobLogMayBeStandardOutputAndHasATimeoutAsParallelHasIt) {
  const CommandResult result =
      netrunner_command({"each", "--joblog", "-", "--timeout", patience_text(100ms), "--", "sleep", ":::", "60"});
  EXPECT_NE(result.out.find("\t-1\t15\tsleep 60\n"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace tests
