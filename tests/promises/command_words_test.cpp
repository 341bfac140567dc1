/// What the command says of an end or an error, in the words of the command line.

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

TEST(CommandWords, AFailureIsSeenInTheStatusEvenWhereTheCommandExitedZero) {
  const CommandResult run = netrunner_command({"run", "--success-codes", "3", "--", "true"});
  EXPECT_EQ(run.exit_status, 1);
  EXPECT_EQ(run.err, "netrunner run: exited 0, which --success-codes has not\n");
  EXPECT_EQ(netrunner_command({"run", "--success-codes", "3", "--", "sh", "-c", "exit 3"}).exit_status, 0);
  const CommandResult line = netrunner_command({"pipeline", "--success-codes", "3", "--", "true", ":::", "true"});
  EXPECT_EQ(line.exit_status, 1);
  EXPECT_EQ(line.err, "netrunner pipeline: true: exited 0, which --success-codes has not\n");
}

TEST(CommandWords, AnExitOfTheCommandsOwnIsNotTakenForALimit) {
  EXPECT_EQ(netrunner_command({"run", "--", "sh", "-c", "exit 124"}).err,
            "netrunner run: it exited 124 by itself; no limit was passed.\n");
  EXPECT_EQ(netrunner_command({"run", "--timeout", patience_text(100ms), "--", "sleep", "60"}).err,
            "netrunner run: deadline; killed by SIGTERM\n");
}

TEST(CommandWords, AReaderThatHadEnoughIsANormalEnd) {
  const CommandResult line = netrunner_script("{ $NR pipeline -- yes ::: cat; echo $? >&2; } | head -1");
  EXPECT_EQ(line.out, "y\n");
  EXPECT_EQ(line.err, "141\n");
  const CommandResult pty = netrunner_script("{ $NR run --pty -- yes; echo $? >&2; } | head -1");
  EXPECT_EQ(pty.err, "141\n");
}

TEST(CommandWords, TheEnvironmentIsChangedInTheOrderOfTheCommandLine) {
  const auto shown = [](std::vector<std::string> options) {
    options.insert(options.begin(), "run");
    for (const char* word : {"--", "sh", "-c", "echo ${NR_A-unset}"}) options.emplace_back(word);
    return netrunner_command(std::move(options)).out;
  };
  EXPECT_EQ(shown({"--unset-env", "NR_A", "--env", "NR_A=1"}), "1\n");
  EXPECT_EQ(shown({"--env", "NR_A=1", "--unset-env", "NR_A"}), "unset\n");
  EXPECT_EQ(shown({"--env", "NR_A=1", "--unset-env", "NR_A", "--env=NR_A=2"}), "2\n");
}

/// Its driver holds nobody back who is in another session: what is typed would go to whoever reads first.
TEST(CommandWords, InTheBackgroundOfATerminalACommandDoesNotTakeItsInput) {
  const auto stdin_of = [](const std::string& options, const std::string& then) {
    const std::string run = std::string(command_path()) + " run " + options + " -- readlink /proc/self/fd/0 " + then;
    return CommandLine({"script", "-qec", "bash -c 'set -m; " + run + "'", "/dev/null"}).wait().out;
  };
  EXPECT_TRUE(stdin_of("", "& wait").starts_with("/dev/null\r\n"));
  EXPECT_TRUE(stdin_of("--stdin inherit", "& wait").starts_with("/dev/pts/"));
  EXPECT_TRUE(stdin_of("", "").starts_with("/dev/pts/"));
}

TEST(CommandWords, ADoctorNamesTheContainmentThatKeepsThePromise) {
  const std::string script = "test $(id -u) -ne 0 && exec $NR doctor; "
                             "exec setpriv --reuid 65534 --regid 65534 --clear-groups $NR doctor";
  const CommandResult result = netrunner_script(script);
  const std::string& words = result.out;
  if (words.find("containment                degraded") == std::string::npos) GTEST_SKIP() << "cgroups or no doctor";
  if (words.find("a PID namespace can be had") == std::string::npos) GTEST_SKIP() << "no user namespaces";
  EXPECT_NE(words.find("Not kept here: containment, subreaper only; "), std::string::npos) << words;
  EXPECT_NE(words.find("; --containment pid-namespace keeps the promise here."), std::string::npos) << words;
}

TEST(CommandWords, AdviceIsAnOptionOfTheCommand) {
  const TempFolder folder;
  const std::string text = folder / "text";
  const std::string make = "echo 'echo hi' > " + text + "; chmod +x " + text + "; ";
  const CommandResult refused = netrunner_script(make + "$NR run -- " + text);
  EXPECT_EQ(refused.exit_status, 126);
  EXPECT_NE(refused.err.find("; --shell-fallback runs it by /bin/sh)"), std::string::npos) << refused.err;
  EXPECT_EQ(netrunner_script(make + "$NR run --shell-fallback -- " + text).out, "hi\n");
  EXPECT_EQ(netrunner_command({"run", "--no-new-privs", "--", "grep", "NoNewPrivs", "/proc/self/status"}).out,
            "NoNewPrivs:\t1\n");
  EXPECT_EQ(netrunner_command({"run", "--oom-score", "500", "--", "cat", "/proc/self/oom_score_adj"}).out, "500\n");
  const std::string log = folder / "log";
  const std::string rotate = netrunner_command({"daemon", "--log", log, "--rotate", "1K:2", "--", "true"}).err;
  EXPECT_NE(rotate.find("--rotate SIZE:COUNT (SIZE: 4 KiB or more)"), std::string::npos) << rotate;
}

}  // namespace
}  // namespace tests
