/// What the command says to those who ask, and to those who ask for something impossible.

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

using testing::AssertionResult;

/// Exit status 125, nothing on stdout, one line on stderr that has each of these.
AssertionResult is_refused(const std::vector<std::string>& arguments, const std::vector<std::string>& said) {
  const CommandResult result = netrunner_command(arguments);
  if (result.exit_status != 125) return testing::AssertionFailure() << result.exit_status << ": " << result.err;
  if (!result.out.empty()) return testing::AssertionFailure() << "wrote on stdout: " << result.out;
  if (std::ranges::count(result.err, '\n') != 1) return testing::AssertionFailure() << "not one line: " << result.err;
  for (const std::string& part : said) {
    if (result.err.find(part) == std::string::npos) {
      return testing::AssertionFailure() << "no '" << part << "' in: " << result.err;
    }
  }
  return testing::AssertionSuccess();
}

TEST(CommandOptions, ABadValueIsNamedWithItsOptionAndTheCommandIsNotRun) {
  EXPECT_TRUE(is_refused({"run", "--timeout", "soon", "--", "true"}, {"--timeout", "soon"}));
  EXPECT_TRUE(is_refused({"run", "--timeout", "-1", "--", "true"}, {"--timeout", "-1"}));
  EXPECT_TRUE(is_refused({"run", "--timeout", "inf", "--", "true"}, {"--timeout", "inf"}));
  EXPECT_TRUE(is_refused({"run", "--timeout", "1e400", "--", "true"}, {"--timeout", "1e400"}));
  EXPECT_TRUE(is_refused({"run", "--ladder", "TREM:5s", "--", "true"}, {"--ladder", "TREM"}));
  EXPECT_TRUE(is_refused({"run", "--output-limit", "much", "--", "true"}, {"--output-limit", "much"}));
  EXPECT_TRUE(is_refused({"run", "--rlimit", "nofiles=3", "--", "true"}, {"--rlimit", "nofiles"}));
  EXPECT_TRUE(is_refused({"run", "--umask", "9", "--", "true"}, {"--umask", "'9'", "octal"}));
  EXPECT_TRUE(is_refused({"run", "--nice", "99", "--", "true"}, {"--nice", "'99'", "-20 to 19"}));
  EXPECT_TRUE(is_refused({"run", "--user", "no-such-user", "--", "true"}, {"--user", "no-such-user"}));
  EXPECT_TRUE(is_refused({"run", "--env", "=x", "--", "true"}, {"--env", "NAME=VALUE"}));
  EXPECT_TRUE(is_refused({"each", "-j", "0", "--", "true"}, {"-j", "'0'"}));
  EXPECT_TRUE(is_refused({"each", "-j", "many", "--", "true"}, {"-j", "'many'"}));
}

TEST(CommandOptions, OneThatWouldDoNothingIsRefused) {
  EXPECT_TRUE(is_refused({"run", "--streams", "inherit", "--prefix", "x", "--", "true"}, {"--prefix", "--streams"}));
  EXPECT_TRUE(is_refused({"run", "--streams", "inherit", "--drain", "1s", "--", "true"}, {"--drain", "--streams"}));
  EXPECT_TRUE(is_refused({"run", "--streams", "inherit", "--idle", "1s", "--", "true"}, {"--idle", "--streams"}));
  EXPECT_TRUE(is_refused({"run", "--best-effort-limits", "--", "true"}, {"--best-effort-limits", "--memory"}));
  EXPECT_TRUE(is_refused({"run", "--pty", "--pty-streams", "in,out", "--stdin", "null", "--", "true"},
                         {"--stdin", "--pty-streams"}));
  EXPECT_TRUE(is_refused({"run", "--record", "x", "--", "true"}, {"--record", "--pty"}));
  EXPECT_TRUE(is_refused({"each", "--dry-run", "--joblog", "x", "--", "true", ":::", "a"}, {"--joblog", "--dry-run"}));
  EXPECT_TRUE(is_refused({"each", "--progress", "--no-progress", "--", "true", ":::", "a"}, {"--progress"}));
  EXPECT_TRUE(is_refused({"each", "--best-effort-limits", "--", "true", ":::", "a"}, {"--best-effort-limits"}));
  EXPECT_TRUE(is_refused({"daemon", "--stop-wait", "1s", "--", "true"}, {"--stop-wait", "--stop"}));
  EXPECT_TRUE(is_refused({"daemon", "--stop", "/no/such/state", "--", "true"}, {"--stop", "true"}));
  EXPECT_TRUE(is_refused({"daemon", "--stop", "/no/such/state", "--log", "x"}, {"--log", "--stop"}));
  EXPECT_TRUE(is_refused({"daemon", "--wait-for-timeout", "1s", "--", "true"}, {"--wait-for-timeout", "--wait-for"}));
  EXPECT_TRUE(is_refused({"daemon", "--restart", "never", "--burst", "1/1m", "--", "true"}, {"--burst", "never"}));
  EXPECT_TRUE(is_refused({"daemon", "--rotate", "1M:2", "--", "true"}, {"--rotate", "--log"}));
  EXPECT_TRUE(is_refused({"daemon", "--ready-timeout", "1s", "--", "true"}, {"--ready-timeout", "--ready"}));
  EXPECT_TRUE(is_refused({"daemon", "--log", "-", "--", "true"}, {"--log", "'-'"}));
  EXPECT_TRUE(is_refused({"run", "--pty", "--record", "-", "--", "true"}, {"--record", "'-'"}));
  EXPECT_TRUE(is_refused({"each", "--truncate", "--", "true"}, {"--truncate", "--output-limit"}));
  for (const char* limit : {"--timeout", "--idle"}) {
    EXPECT_TRUE(is_refused({"run", limit, "0", "--", "true"}, {limit, "leave the option out"}));
  }
  EXPECT_TRUE(is_refused({"stress", "--gap", "1s"}, {"--gap", "--deaths"}));
  EXPECT_TRUE(is_refused({"stress", "--deaths", "--duration", "1s"}, {"--duration", "--deaths"}));
}

TEST(CommandOptions, ASecretThatWasMisplacedIsNotRepeated) {
  const CommandResult result = netrunner_command({"run", "--env", "xyzzy", "--", "true"});
  EXPECT_EQ(result.exit_status, 125);
  EXPECT_EQ(result.err.find("xyzzy"), std::string::npos) << result.err;
}

TEST(CommandOptions, AnUnknownOptionIsAnsweredWithTheNearestOne) {
  EXPECT_TRUE(is_refused({"run", "--timeot", "5s", "--", "true"}, {"--timeot", "--timeout?"}));
  EXPECT_TRUE(is_refused({"each", "--keeporder", "--", "true"}, {"--keeporder", "--keep-order?"}));
  EXPECT_TRUE(is_refused({"run", "-x", "true"}, {"-x"}));
  EXPECT_TRUE(is_refused({"run", "--time", "5s", "--", "true"}, {"--time: ", "--timeout?"}));
  for (const std::vector<std::string>& far : {std::vector<std::string>{"run", "-v", "--", "true"},
                                              {"daemon", "--json", "--", "true"},
                                              {"each", "--idle", "1s", "--", "true"}}) {
    EXPECT_EQ(netrunner_command(far).err.find("Did you mean"), std::string::npos) << far[1];
  }
  EXPECT_TRUE(is_refused({"run", "--timeout"}, {"--timeout", "needs a value"}));
}

TEST(CommandOptions, AMissingCommandIsAskedFor) {
  EXPECT_TRUE(is_refused({"run"}, {"no command"}));
  EXPECT_TRUE(is_refused({"run", "--"}, {"no command"}));
  EXPECT_TRUE(is_refused({"each", ":::", "a"}, {"no command"}));
  EXPECT_TRUE(is_refused({"pipeline", "--", "true", ":::"}, {"':::'"}));
  EXPECT_TRUE(is_refused({"rnu", "--", "true"}, {"'rnu'", "netrunner run"}));
}

TEST(CommandOptions, OptionsThatContradictEachOtherAreRefused) {
  EXPECT_TRUE(is_refused({"run", "--truncate", "--", "true"}, {"--truncate", "--output-limit"}));
  EXPECT_TRUE(is_refused({"run", "--streams", "inherit", "--idle", "1s", "--", "true"}, {"--idle"}));
  EXPECT_TRUE(is_refused({"each", "-0", "--", "true", ":::", "a"}, {"-0"}));
}

TEST(CommandOptions, TwoThatWouldOverwriteOneAnotherAreRefused) {
  EXPECT_TRUE(is_refused({"run", "--report", "f", "--stats", "./f", "--", "true"},
                         {"--report", "--stats", "f is the file of"}));
  EXPECT_TRUE(is_refused({"daemon", "--log", "/f", "--state", "/f", "--", "true"}, {"/f", "--log", "--state"}));
  EXPECT_EQ(netrunner_command({"run", "--report", "-", "--stats", "-", "--", "true"}).exit_status, 0);
}

TEST(CommandOptions, AUserIsNamedPlainly) {
  EXPECT_TRUE(is_refused({"run", "--user", "nosuch", "--", "true"}, {"--user: user nosuch (no such user"}));
  EXPECT_TRUE(is_refused({"run", "--user", "root:", "--", "true"}, {"--user: 'root:'", "USER:GROUP"}));
}

TEST(CommandOptions, HelpOfASubcommandIsItsOwn) {
  EXPECT_EQ(netrunner_command({"help", "run"}).out, netrunner_command({"run", "--help"}).out);
}

TEST(CommandOptions, AReportThatCouldNotBeWrittenIsRefusedBeforeTheStart) {
  const TempFolder folder;
  const std::string touched = folder / "touched";
  EXPECT_TRUE(is_refused({"run", "--report", folder / "no/such/report", "--", "touch", touched}, {"no/such/report"}));
  EXPECT_TRUE(is_refused({"run", "--report", folder.path(), "--", "touch", touched}, {folder.path()}));
  EXPECT_TRUE(is_refused({"each", "--joblog", folder / "no/log", "--", "touch", ":::", touched}, {"--joblog"}));
  EXPECT_NE(::access(touched.c_str(), F_OK), 0);
}

TEST(CommandOptions, EachHelpFitsOneScreen) {
  for (const std::string subcommand : {"run", "each", "pipeline", "daemon", "version"}) {
    const CommandResult help = netrunner_command({subcommand, "--help"});
    EXPECT_EQ(help.exit_status, 0);
    EXPECT_LE(std::ranges::count(help.out, '\n'), 50) << subcommand;
    for (std::size_t at = 0; at < help.out.size();) {
      const std::size_t end = help.out.find('\n', at);
      EXPECT_LE(end - at, 80u) << help.out.substr(at, end - at);
      at = end + 1;
    }
  }
  EXPECT_EQ(netrunner_command({"--help"}).exit_status, 0);
}

TEST(CommandOptions, HelpNamesEveryOption) {
  const std::string run = netrunner_command({"run", "--help"}).out;
  for (const char* option :
       {"--timeout", "--idle", "--ladder", "--cwd", "--env", "--unset-env", "--clear-env", "--merge", "--output-limit",
        "--truncate", "--stdin", "--drain", "--drain-max", "--user", "--nice", "--umask", "--rlimit",
        "--new-session", "--report", "--json", "--streams",
        "--prefix", "--events", "--stats", "--memory", "--pids", "--cpu", "--cpu-time", "--nofile"}) {
    EXPECT_NE(run.find(option), std::string::npos) << option;
  }
  const std::string each = netrunner_command({"each", "--help"}).out;
  for (const char* option : {"-j", "-k", "-0", "--timeout", "--ladder", "--joblog", "--dry-run", "--no-progress",
                             "--json", "--halt-on-failure", "--events", "--stats", "{}", "{.}", "{/}", "{//}", "{/.}",
                             "{#}", "{%}", "--memory", "--pids", "--cpu", "--cpu-time", "--nofile"}) {
    EXPECT_NE(each.find(option), std::string::npos) << option;
  }
  for (const char* subcommand : {"pipeline", "daemon"}) {
    const std::string text = netrunner_command({subcommand, "--help"}).out;
    for (const char* option : {"--memory", "--pids", "--cpu", "--events", "--stats"}) {
      EXPECT_NE(text.find(option), std::string::npos) << subcommand << " " << option;
    }
  }
}

TEST(CommandOptions, TheVersionIsPrintedEitherWay) {
  EXPECT_TRUE(netrunner_command({"--version"}).out.starts_with("netrunner "));
  EXPECT_EQ(netrunner_command({"version"}).out, netrunner_command({"--version"}).out);
}

TEST(CommandOptions, TheCommandsOwnOptionsAreLeftAlone) {
  EXPECT_EQ(netrunner_command({"run", "echo", "--timeout", "--", "-x"}).out, "--timeout -- -x\n");
  EXPECT_EQ(netrunner_command({"run", "--timeout=5s", "--", "echo", "--", "--help"}).out, "-- --help\n");
  EXPECT_EQ(netrunner_command({"each", "-kj2", "echo", "-n", ":::", "--json", "-k"}).out, "--json-k");
}

}  // namespace
}  // namespace tests
