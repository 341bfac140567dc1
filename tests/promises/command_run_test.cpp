/// `netrunner run`: exit statuses (field reports G3, G4), streams (E1, L1, S5, D5), limits, and the report.

#include <chrono>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

/// `netrunner run ARGUMENTS`.
CommandResult run(std::vector<std::string> arguments, std::string_view input = {}) {
  arguments.insert(arguments.begin(), "run");
  return netrunner_command(std::move(arguments), input);
}

TEST(CommandRun, TheExitStatusTellsEveryEndApart) {
  EXPECT_EQ(run({"--", "true"}).exit_status, 0);
  EXPECT_EQ(run({"--", "sh", "-c", "exit 3"}).exit_status, 3);
  EXPECT_EQ(run({"--", "sh", "-c", "exit 137"}).exit_status, 137);
  EXPECT_EQ(run({"--", "sh", "-c", "kill -9 $$"}).exit_status, 137);
  EXPECT_EQ(run({"--", "sh", "-c", "kill -TERM $$"}).exit_status, 143);
  EXPECT_EQ(run({"--", "/etc"}).exit_status, 126);
  EXPECT_EQ(run({"--", "/etc/hostname"}).exit_status, 126);
  EXPECT_EQ(run({"--", "no-such-program"}).exit_status, 127);
  EXPECT_EQ(run({"--timeout", patience_text(100ms), "--", "sleep", "60"}).exit_status, 124);
  EXPECT_EQ(run({"--timeout", "1ns", "--", "sleep", "60"}).exit_status, 124);
  EXPECT_EQ(run({"--idle", patience_text(100ms), "--", "sleep", "60"}).exit_status, 124);
  EXPECT_EQ(run({"--output-limit", "1000", "--", "yes"}).exit_status, 124);
  EXPECT_EQ(run({"--cwd", "/no/such/folder", "--", "true"}).exit_status, 125);
}

TEST(CommandRun, AStartThatFailsNamesWhatItFailedOn) {
  EXPECT_NE(run({"--", "no-such-program"}).err.find("no-such-program"), std::string::npos);
  EXPECT_NE(run({"--cwd", "/no/such/folder", "--", "true"}).err.find("/no/such/folder"), std::string::npos);
}

TEST(CommandRun, SuccessAndOrdinaryFailureAreSilent) {
  EXPECT_EQ(run({"--", "true"}).err, "");
  EXPECT_EQ(run({"--", "false"}).err, "");
}

TEST(CommandRun, TheReportKeepsCodeAndSignalApart) {
  const std::string killed = run({"--report", "-", "--", "sh", "-c", "kill -9 $$"}).out;
  EXPECT_EQ(json_value(killed, "reason"), "signaled");
  EXPECT_EQ(json_value(killed, "code"), "null");
  EXPECT_EQ(json_value(killed, "signal"), "9");
  EXPECT_EQ(json_value(killed, "exit_status"), "137");
  const std::string exited = run({"--report", "-", "--", "sh", "-c", "exit 137"}).out;
  EXPECT_EQ(json_value(exited, "reason"), "exited");
  EXPECT_EQ(json_value(exited, "code"), "137");
  EXPECT_EQ(json_value(exited, "signal"), "null");
}

TEST(CommandRun, TheReportFollowsTheOutputAndCountsIt) {
  const TempFolder folder;
  const std::string path = folder / "report";
  const CommandResult result = run({"--report", path, "--", "sh", "-c", "seq 1 100000; echo oops >&2"});
  EXPECT_EQ(result.out.size(), 588895u);
  EXPECT_EQ(result.err, "oops\n");
  const std::string report = file_text(path);
  EXPECT_EQ(json_value(report, "bytes_out"), "588895");
  EXPECT_EQ(json_value(report, "bytes_err"), "5");
  EXPECT_EQ(json_value(report, "bytes_in"), "null");
  EXPECT_EQ(json_value(report, "end"), "file_end");
  EXPECT_EQ(json_value(report, "tree_empty"), "true");
  EXPECT_EQ(json_value(report, "stragglers"), "0");
  EXPECT_EQ(json_value(report, "queued"), "0");
  for (const char* later : {"spawned", "exec", "first_byte", "exited", "drained", "gone"}) {
    EXPECT_GE(std::stol("0" + json_value(report, later)), 0) << later << report;
    EXPECT_NE(json_value(report, later), "null") << later;
  }
  EXPECT_GT(std::stol("0" + json_value(report, "max_rss_kib")), 0);
  EXPECT_NE(report.find("\"argv\": [\n    \"sh\""), std::string::npos) << report;
}

TEST(CommandRun, ADeadlineIsReportedWithTheLadderThatItClimbed) {
  const std::string timeout = std::to_string(patience(std::chrono::milliseconds(100)).count()) + "ns";
  const CommandResult result = run({"--timeout", timeout, "--ladder", "TERM:200ms,KILL", "--report", "-", "--", "sh",
                                    "-c", "trap '' TERM; while :; do sleep 0.05; done"});
  EXPECT_EQ(result.exit_status, 124);
  EXPECT_GE(result.seconds, 0.3);
  EXPECT_EQ(json_value(result.out, "reason"), "deadline");
  EXPECT_EQ(json_value(result.out, "signal"), "9");
  const std::size_t signals = result.out.find("\"signals\"");
  ASSERT_NE(signals, std::string::npos);
  const std::string climbed = result.out.substr(signals);
  EXPECT_NE(climbed.find("SIGTERM"), std::string::npos) << climbed;
  EXPECT_LT(climbed.find("SIGTERM"), climbed.find("SIGKILL")) << climbed;
  EXPECT_NE(result.err.find("deadline"), std::string::npos);
}

TEST(CommandRun, AFailedStartIsReportedToo) {
  const CommandResult result = run({"--report", "-", "--", "no-such-program"});
  EXPECT_EQ(result.exit_status, 127);
  EXPECT_EQ(json_value(result.out, "code"), "not_found");
  EXPECT_EQ(json_value(result.out, "stage"), "exec");
  EXPECT_EQ(json_value(result.out, "errno"), "2");
  EXPECT_NE(json_value(result.out, "subject").find("no-such-program"), std::string::npos);
}

TEST(CommandRun, JsonReplacesTheWordsByOneLine) {
  const CommandResult result = run({"--json", "--timeout", patience_text(100ms), "--", "sleep", "60"});
  EXPECT_TRUE(result.err.starts_with("{") && result.err.ends_with("}\n")) << result.err;
  EXPECT_EQ(result.err.find('\n'), result.err.size() - 1);
  EXPECT_EQ(json_value(result.err, "reason"), "deadline");
}

TEST(CommandRun, AnArgumentThatIsNoUnicodeSurvivesInTheReport) {
  const CommandResult result = run({"--report", "-", "--", "true", "\xff\xfe"});
  EXPECT_EQ(json_value(result.out, "base64"), "//4=");
}

TEST(CommandRun, AReportReplacesItsFileInOneStepAndWritesIntoADevice) {
  const TempFolder folder;
  const std::string path = folder / "report", link = folder / "link";
  write_file(path, "old");
  ASSERT_EQ(::symlink(path.c_str(), link.c_str()), 0);
  EXPECT_EQ(run({"--report", link, "--", "true"}).exit_status, 0);
  EXPECT_TRUE(file_text(path).starts_with("{")) << "the file behind the link";
  EXPECT_EQ(run({"--report", "/dev/null", "--", "true"}).exit_status, 0);
  struct stat status {};
  ASSERT_EQ(::stat("/dev/null", &status), 0);
  EXPECT_TRUE(S_ISCHR(status.st_mode));
}

TEST(CommandRun, StandardInputIsOursUnlessItIsSaidOtherwise) {
  EXPECT_EQ(run({"--", "cat"}, "typed\n").out, "typed\n");
  EXPECT_EQ(run({"--stdin", "null", "--", "cat"}, "typed\n").out, "");
  EXPECT_EQ(run({"--stdin", "/proc/sys/kernel/ostype", "--", "cat"}, "typed\n").out, "Linux\n");
  EXPECT_EQ(run({"--stdin", "/no/such/file", "--", "cat"}).exit_status, 125);
}

TEST(CommandRun, ALoopThatReadsIsNotRobbedOfItsInput) {
  const std::string lines = "a\nb\nc\n";
  EXPECT_EQ(netrunner_script("while read x; do echo $x; $NR run --stdin null -- cat; done", lines).out, lines);
}

TEST(CommandRun, EveryByteReachesASlowReader) {
  const CommandResult result = netrunner_script(
      "$NR run --streams pipe -- seq 1 100000 | (sleep 0.3; dd bs=4096 2>/dev/null | cksum); "
      "seq 1 100000 | cksum");
  const std::size_t half = result.out.size() / 2;
  EXPECT_EQ(result.out.substr(0, half), result.out.substr(half));
}

TEST(CommandRun, EveryByteReachesAReaderThatIsSlowerThanTheDrainAllows) {
  const CommandResult result = netrunner_script(
      "$NR run --drain 50ms --drain-max 100ms -- head -c 200000 /dev/zero | (sleep 1; wc -c)");
  EXPECT_EQ(std::stoi(result.out), 200000);
}

TEST(CommandRun, AReaderThatLeavesEndsTheCommandAtOnce) {
  for (const std::string streams : {"pipe", "inherit"}) {
    const CommandResult result =
        netrunner_script("{ $NR run --streams " + streams + " -- yes; echo $? >&2; } | head -1");
    EXPECT_EQ(result.out, "y\n");
    EXPECT_EQ(result.err, "141\n") << streams;
    EXPECT_LT(result.seconds, 5 * slowness());
  }
}

TEST(CommandRun, AGrandchildThatHoldsTheOutputDoesNotHoldUsUp) {
  const CommandResult result = run({"--drain", "100ms", "--report", "-", "--", "sh", "-c", "sleep 30 & echo row"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_TRUE(result.out.starts_with("row\n"));
  EXPECT_LT(result.seconds, 5 * slowness());
  EXPECT_EQ(json_value(result.out, "end"), "inherited");
  EXPECT_EQ(json_value(result.out, "stragglers"), "1");
  EXPECT_EQ(json_value(result.out, "tree_empty"), "true");
  EXPECT_LT(run({"--", "sh", "-c", "sleep 30 & echo row"}).seconds, 5 * slowness()) << "inherited streams";
}

TEST(CommandRun, MergedStreamsKeepTheirOrder) {
  for (const std::string streams : {"pipe", "inherit"}) {
    const CommandResult result = run({"--merge", "--streams", streams, "--", "sh", "-c", "echo 1; echo 2 >&2; echo 3"});
    EXPECT_EQ(result.out, "1\n2\n3\n") << streams;
    EXPECT_EQ(result.err, "") << streams;
  }
}

TEST(CommandRun, OutputIsCutWhereTheLimitIs) {
  EXPECT_EQ(run({"--output-limit", "1000", "--", "yes"}).out.size(), 1000u);
  const CommandResult cut = run({"--output-limit", "10", "--truncate", "--", "sh", "-c", "seq 1 1000; exit 4"});
  EXPECT_EQ(cut.exit_status, 4);
  EXPECT_EQ(cut.out, "1\n2\n3\n4\n5\n");
}

TEST(CommandRun, TheEnvironmentIsChangedAsAsked) {
  EXPECT_EQ(run({"--env", "NR_A=1=2", "--env", "NR_B=", "--", "sh", "-c", "echo $NR_A${NR_B-unset}"}).out, "1=2\n");
  EXPECT_EQ(run({"--clear-env", "--env", "ONLY=this", "--", "/usr/bin/env"}).out, "ONLY=this\n");
  EXPECT_EQ(run({"--unset-env", "HOME", "--", "sh", "-c", "echo ${HOME-unset}"}).out, "unset\n");
}

TEST(CommandRun, TheCommandGetsTheLimitsThatWeWereStartedWith) {
  EXPECT_EQ(netrunner_script("ulimit -Sn 1024; ulimit -Hn 4096; $NR run -- sh -c 'ulimit -Sn; ulimit -Hn'; "
                             "$NR each -- sh -c 'ulimit -Sn; ulimit -Hn' ::: a")
                .out,
            "1024\n4096\n1024\n4096\n");
  EXPECT_EQ(run({"--rlimit", "nofile=256", "--", "sh", "-c", "ulimit -n"}).out, "256\n");
}

TEST(CommandRun, FolderMaskAndNicenessAreTheCommands) {
  EXPECT_EQ(run({"--cwd", "/usr", "--", "pwd"}).out, "/usr\n");
  EXPECT_EQ(run({"--umask", "027", "--", "sh", "-c", "umask"}).out, "0027\n");
  EXPECT_EQ(run({"--nice", "7", "--", "nice"}).out, "7\n");
  EXPECT_EQ(run({"--new-session", "--", "sh", "-c", "test $(ps -o sid= -p $$) -eq $$ && echo own"}).out, "own\n");
}

TEST(CommandRun, AClosedStandardStreamIsTheCommandsDevNull) {
  EXPECT_EQ(netrunner_script("$NR run -- cat <&-; echo $?").out, "0\n");
  EXPECT_EQ(netrunner_script("$NR run -- sh -c 'readlink /proc/self/fd/0 >&2' <&- >&-").err, "/dev/null\n");
}

TEST(CommandRun, AnIgnoredChildSignalInOurParentDoesNotLoseTheStatus) {
  const CommandResult result = netrunner_script(
      "exec python3 -c \"import signal,os,sys;signal.signal(signal.SIGCHLD,signal.SIG_IGN);"
      "os.execv('$NR',['nr','run','--','sh','-c','exit 5'])\"");
  EXPECT_EQ(result.exit_status, 5);
}

}  // namespace
}  // namespace tests
