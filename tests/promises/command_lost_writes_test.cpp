/// What can't be written is said, and seen in the exit status.

#include <gtest/gtest.h>
#include <string>

#include "tests/support/command_line.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

/// A script whose exit status is that of its last command, with standard output closed or full in it.
void expect_loss(const std::string& script, int exit_status, const std::string& named) {
  const CommandResult result = netrunner_script(script);
  EXPECT_EQ(result.exit_status, exit_status) << script << ": " << result.err;
  EXPECT_NE(result.err.find(named), std::string::npos) << script << ": " << result.err;
}

TEST(CommandLostWrites, WhatASubcommandIsForIsNotLostWithoutAWord) {
  const std::string full = "standard output: No space left on device; it is not complete.";
  expect_loss("$NR doctor >/dev/full", 125, full);
  expect_loss("$NR doctor --json >/dev/full", 125, full);
  expect_loss("$NR version >/dev/full", 125, full);
  expect_loss("$NR --help >/dev/full", 125, full);
  expect_loss("$NR run --help >/dev/full", 125, full);
  expect_loss("$NR stress --duration 50ms -j 2 >/dev/full", 125, full);
  expect_loss("$NR each --dry-run -- echo ::: 1 2 >/dev/full", 255, full);
}

TEST(CommandLostWrites, AReaderThatLeftIsNoLoss) {
  EXPECT_EQ(netrunner_script("{ $NR run --help; echo $? >&2; } | true").err, "0\n");
  EXPECT_EQ(netrunner_script("{ seq 100000 | $NR each --dry-run -- echo; echo $? >&2; } | head -1").err, "141\n");
}

TEST(CommandLostWrites, AClosedStandardOutputTakesNothing) {
  const std::string closed = "Bad file descriptor";
  expect_loss("$NR run --report - -- true >&-", 125, closed);
  expect_loss("$NR run --stats - -- true >&-", 125, closed);
  expect_loss("$NR version >&-", 125, closed);
  expect_loss("$NR each -- echo ::: 1 >&-", 255, closed);
  expect_loss("$NR run -- sh -c 'echo lost; exit $?' >&-", 1, "");  // As without us.
  EXPECT_EQ(netrunner_script("$NR run -- true >&- 2>&-").exit_status, 0);
}

TEST(CommandLostWrites, WhatJobsWroteToStandardErrorIsNotLostWithoutATrace) {
  const std::string job = "$NR each -- sh -c 'echo lost >&2; echo kept' ::: 1 2 ";
  const CommandResult full = netrunner_script(job + "2>/dev/full");
  EXPECT_EQ(full.exit_status, 255);
  EXPECT_EQ(full.out, "kept\nkept\n");
  EXPECT_EQ(netrunner_script(job + "2>&-").exit_status, 255);
  EXPECT_EQ(netrunner_script("{ " + job + "2>&1 >&3 | true; } 3>&1").out, "kept\nkept\n") << "nobody wants it";
  EXPECT_EQ(netrunner_script("$NR each -- echo ::: 1 2>&-").exit_status, 0) << "nothing was lost";
}

TEST(CommandLostWrites, AJobLogThatIsNotCompleteIsAnError) {
  expect_loss("$NR each --joblog /dev/full -- true ::: 1", 125,
              "--joblog /dev/full: No space left on device; nothing was started");
}

TEST(CommandLostWrites, ADaemonTellsAtItsEndWhatItsLogDidNotTake) {
  const TempFolder folder;
  expect_loss("$NR daemon --restart never --log /dev/full --state " + (folder / "state") + " -- echo hi", 125,
              "--log: 1 lines of its output could not be written: ");
  EXPECT_EQ(json_value(file_text(folder / "state"), "dropped_lines"), "1");
}

TEST(CommandLostWrites, AStateThatCannotBeWrittenIsNamedOnce) {
  const CommandResult result =
      netrunner_command({"daemon", "--restart", "never", "--state", "/dev/full", "--", "true"});
  EXPECT_EQ(result.exit_status, 125);
  const std::string words = "--state /dev/full: No space left on device; it does not say how things are now.";
  EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
  EXPECT_EQ(result.err.find(words), result.err.rfind(words)) << result.err;
}

}  // namespace
}  // namespace tests
