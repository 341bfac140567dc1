/// `netrunner run --pty` between the user's terminal and the command's. The user's is one of ours here, so that its
/// modes can be looked at from outside. Field reports P1, P3, P4, P8, P10, F9.

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/screen.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

/// netrunner run --pty OPTIONS -- sh -c SCRIPT
nr::Command run_pty(const std::string& script, std::vector<std::string> options = {}) {
  options.insert(options.begin(), {"run", "--pty"});
  options.insert(options.end(), {"--", "sh", "-c", script});
  return nr::Command(command_path()).args(std::move(options));
}

/// The same within a shell that stays when it has ended, however it ended: the terminal can be looked at then.
nr::Command run_pty_then_wait(const std::string& script) {
  return sh("\"$0\" run --pty -- sh -c \"$1\"; echo ended $?; read word").args({command_path(), script});
}

pid_t netrunner_below(pid_t shell) {
  for (const ProcessEntry& child : children_of(shell)) {
    if (child.name == "netrunner") return child.pid;
  }
  return -1;
}

TEST(CommandTerminal, GivesTheCommandATerminalLikeItsOwn) {
  EngineFixture host;
  Screen screen(host, run_pty("stty size; tty; read word; echo got $word; exit 7"), {.rows = 31, .columns = 97});
  EXPECT_TRUE(screen.shows("31 97\r\n/dev/pts/"));
  EXPECT_TRUE(screen.is_raw());
  screen.type("word\r");
  EXPECT_TRUE(screen.shows("word\r\ngot word\r\n")) << screen.text();
  EXPECT_EQ(exit_code(screen.program().wait()), 7);
}

TEST(CommandTerminal, LeavesItsOwnAsItWasAtEveryEndOfTheCommand) {
  EngineFixture host;
  for (const char* script : {"exit 3", "kill -9 $$", "exec /no/such/program", "stty raw -echo; exit 1"}) {
    Screen screen(host, sh("read go; \"$0\" run --pty -- sh -c \"$1\"; echo ended $?; read word")
                            .args({command_path(), script}));
    const nr::TerminalModes before = screen.modes();
    screen.type("go\n");
    EXPECT_TRUE(screen.shows("ended ")) << screen.text();
    EXPECT_TRUE(screen.modes() == before) << script;
    screen.quit();
  }
}

TEST(CommandTerminal, LeavesItsOwnAsItWasWhateverSignalEndsIt) {
  EngineFixture host;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL, SIGSEGV, SIGABRT, SIGXCPU, SIGPROF}) {
    if (signal == SIGSEGV && is_sanitized()) continue;  // The sanitizer makes an exit of it.
    Screen screen(host, sh("ulimit -c 0; read go; \"$0\" run --pty -- sh -c 'echo ready; exec sleep 1000'; "
                           "echo ended $?; read word").arg(command_path()));
    const nr::TerminalModes before = screen.modes();
    screen.type("go\n");
    EXPECT_TRUE(screen.shows("ready\r\n"));
    EXPECT_TRUE(eventually([&] { return screen.is_raw(); }));
    kill(netrunner_below(screen.program().pid()), signal);
    EXPECT_TRUE(screen.shows("ended " + std::to_string(128 + signal))) << screen.text();
    EXPECT_TRUE(eventually([&] { return screen.modes() == before; })) << nr::signal_name(signal);
    screen.quit();
  }
}

TEST(CommandTerminal, HandsOnEachNewSize) {  // P8
  EngineFixture host;
  Screen screen(host, run_pty("trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done"));
  EXPECT_TRUE(screen.shows("ready\r\n"));
  screen.resize({.rows = 40, .columns = 100});
  EXPECT_TRUE(screen.shows("40 100\r\n"));
  screen.resize({.rows = 10, .columns = 20});
  EXPECT_TRUE(screen.shows("10 20\r\n"));
  screen.quit();
}

TEST(CommandTerminal, ControlCIsForTheForegroundGroupOfTheCommand) {
  EngineFixture host;
  Screen screen(host, run_pty_then_wait("trap 'echo interrupted; exit 5' INT; echo ready; "
                                        "while :; do sleep 0.01; done"));
  EXPECT_TRUE(screen.shows("ready\r\n"));
  EXPECT_TRUE(eventually([&] { return screen.is_raw(); }));
  screen.type("\x03");
  EXPECT_TRUE(screen.shows("interrupted\r\n"));
  EXPECT_TRUE(screen.shows("ended 5\r\n")) << screen.text();
  screen.quit();
  Screen killed(host, run_pty_then_wait("echo ready; exec sleep 1000"));
  EXPECT_TRUE(killed.shows("ready\r\n"));
  EXPECT_TRUE(eventually([&] { return killed.is_raw(); }));
  killed.type("\x03");
  EXPECT_TRUE(killed.shows("ended 130\r\n")) << killed.text();
  killed.quit();
}

TEST(CommandTerminal, ControlZStopsAJobOfAShellInItAndNotNetrunner) {  // P10
  EngineFixture host;
  Screen screen(host, run_pty("exec bash --norc -i").env("PS1", "> "));
  EXPECT_TRUE(screen.shows("> "));
  screen.type("sh -c 'echo begun; exec sleep 1000'\r");
  EXPECT_TRUE(screen.shows("begun\r\n"));
  screen.type("\x1a");
  EXPECT_TRUE(screen.shows("Stopped"));
  EXPECT_TRUE(screen.shows("> "));
  screen.type("kill -9 %1; exec sh -c 'exit 3'\r");  // exit says first that there are stopped jobs, or not.
  EXPECT_EQ(exit_code(screen.program().wait()), 3);
}

TEST(CommandTerminal, IsStoppedAndContinuedByAShellWithTheTerminalAsItShouldBe) {  // P10
  EngineFixture host;
  Screen screen(host, nr::Command("bash", "--norc", "-i").env("PS1", "outer> ").env("NR", command_path()));
  EXPECT_TRUE(screen.shows("outer> "));
  screen.type("\"$NR\" run --pty -- sh -c 'echo begun; while :; do read word; echo got $word; done'\r");
  EXPECT_TRUE(screen.shows("begun\r\n"));
  EXPECT_TRUE(eventually([&] { return screen.is_raw(); }));
  const pid_t netrunner = netrunner_below(screen.program().pid());
  kill(netrunner, SIGTSTP);
  EXPECT_TRUE(screen.shows("Stopped")) << screen.text();
  EXPECT_TRUE(screen.shows("outer> "));
  screen.type("echo signals: $(stty -a | grep -o -- '-\\?isig')\r");
  EXPECT_TRUE(screen.shows("signals: isig")) << screen.text();
  EXPECT_EQ(process_state(netrunner), 'T');
  screen.resize({.rows = 33, .columns = 88});
  screen.type("fg\r");
  EXPECT_TRUE(screen.shows("run --pty"));
  EXPECT_TRUE(eventually([&] { return screen.modes().value(nr::TerminalMode::isig) == 0U; }));
  screen.type("word\r");
  EXPECT_TRUE(screen.shows("got word\r\n")) << screen.text();
  screen.type("\x03");
  EXPECT_TRUE(screen.shows("outer> "));
  screen.quit();
}

TEST(CommandTerminal, InTheBackgroundItIsStoppedUntilItIsBroughtForward) {
  EngineFixture host;
  Screen screen(host, nr::Command("bash", "--norc", "-i").env("PS1", "outer> ").env("NR", command_path()));
  EXPECT_TRUE(screen.shows("outer> "));
  screen.type("\"$NR\" run --pty -- sh -c 'stty size; read word; echo got $word'\r");
  EXPECT_TRUE(screen.shows("24 80\r\n"));
  screen.type("first\r");
  EXPECT_TRUE(screen.shows("got first\r\n"));
  EXPECT_TRUE(screen.shows("outer> "));
  screen.type("\"$NR\" run --pty -- sh -c 'echo begun; read word; echo got $word' &\r");
  EXPECT_TRUE(eventually([&] { return process_state(netrunner_below(screen.program().pid())) == 'T'; }));
  screen.type("fg\r");
  EXPECT_TRUE(screen.shows("begun\r\n")) << screen.text();
  EXPECT_TRUE(eventually([&] { return screen.is_raw(); }));
  screen.type("second\r");
  EXPECT_TRUE(screen.shows("got second\r\n"));
  screen.quit();
}

TEST(CommandTerminal, WorksWithoutATerminalOfItsOwn) {
  const CommandResult cat = netrunner_command({"run", "--pty", "--", "cat"}, "hi\n");
  EXPECT_EQ(cat.out, "hi\r\nhi\r\n") << cat.err;
  EXPECT_EQ(cat.exit_status, 0);
  const CommandResult size = netrunner_command({"run", "--pty", "--", "stty", "size"});
  EXPECT_EQ(size.out, "24 80\r\n");
  EXPECT_EQ(netrunner_command({"run", "--pty", "--winsize", "50x132", "--", "stty", "size"}).out, "50 132\r\n");
  EXPECT_EQ(netrunner_command({"run", "--pty", "--", "sh", "-c", "exit 9"}).exit_status, 9);
  EXPECT_EQ(netrunner_command({"run", "--pty", "--", "/no/such/program"}).exit_status, 127);
}

TEST(CommandTerminal, ManyBytesAreManyBytesEachTime) {  // P1
  const std::string twenty_thousand(20'000, 'a');
  for (std::size_t round = 0; round < scaled(1000, 10); ++round) {
    const CommandResult echo = netrunner_command({"run", "--pty", "--", "/bin/echo", "-n", twenty_thousand});
    ASSERT_TRUE(echo.out == twenty_thousand) << echo.out.size() << " bytes in round " << round;
  }
}

TEST(CommandTerminal, RawIsForProgramsThatBuffer) {  // F9
  const CommandResult raw = netrunner_command({"run", "--pty", "--pty-raw", "--", "sh", "-c", "test -t 1 && echo x"});
  EXPECT_EQ(raw.out, "x\n");
}

TEST(CommandTerminal, SomeStreamsMayLeadThereAndOthersNot) {
  const CommandResult out = netrunner_command({"run", "--pty", "--pty-streams", "out", "--", "sh", "-c",
                                               "echo word; echo failure >&2; test -t 1 && ! test -t 2 && ! test -t 0"});
  EXPECT_EQ(out.exit_status, 0);
  EXPECT_EQ(out.out, "word\r\n");
  EXPECT_EQ(out.err, "failure\n");
  const CommandResult file = netrunner_command({"run", "--pty", "--stdin", "null", "--", "sh", "-c", "cat; tty <&1"});
  EXPECT_TRUE(file.out.starts_with("/dev/pts/")) << file.out;
  const CommandResult in = netrunner_command({"run", "--pty", "--pty-streams", "in", "--pty-raw", "--", "sh", "-c",
                                              "read x; echo got $x; echo asked >/dev/tty"}, "word\n");
  EXPECT_EQ(in.out, "got word\n");
  EXPECT_EQ(in.err, "asked\n");
}

TEST(CommandTerminal, LimitsAndReportsSeeWhatItShows) {
  const CommandResult idle = netrunner_command({"run", "--pty", "--idle", patience_text(200ms), "--", "sleep", "1000"});
  EXPECT_EQ(idle.exit_status, 124);
  EXPECT_NE(idle.err.find("idle"), std::string::npos);
  const CommandResult report = netrunner_command({"run", "--json", "--pty", "--", "echo", "12345678"});
  EXPECT_EQ(json_value(report.err, "bytes_out"), "10");
  const CommandResult limit = netrunner_command({"run", "--pty", "--output-limit", "1000", "--", "yes"});
  EXPECT_EQ(limit.exit_status, 124);
  EXPECT_EQ(limit.out.size(), 1000U);
}

TEST(CommandTerminal, WhatIsNoneIsSaid) {
  const auto refused = [](std::vector<std::string> options) {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"--", "true"});
    const CommandResult result = netrunner_command(options);
    EXPECT_EQ(result.exit_status, 125);
    return result.err;
  };
  EXPECT_NE(refused({"--winsize", "24x80"}).find("add --pty"), std::string::npos);
  EXPECT_NE(refused({"--record", "/tmp/x"}).find("add --pty"), std::string::npos);
  EXPECT_NE(refused({"--pty", "--winsize", "0x80"}).find("rows"), std::string::npos);
  EXPECT_NE(refused({"--pty", "--winsize", "80"}).find("ROWSxCOLUMNS"), std::string::npos);
  EXPECT_NE(refused({"--pty", "--pty-streams", "out,log"}).find("log"), std::string::npos);
  EXPECT_NE(refused({"--pty", "--pty-streams", "in", "--stdin", "null"}).find("no stream"), std::string::npos);
  EXPECT_NE(refused({"--pty", "--record", "/no/such/folder/x"}).find("/no/such/folder/x"), std::string::npos);
}

TEST(CommandTerminal, NoCommandOfAThousandDiesOfAHangUp) {  // P3
  EngineFixture host;
  const std::string rounds = std::to_string(scaled(1000, 20));
  Screen screen(host, sh("i=0; while [ $i -lt " + rounds + " ]; do \"$0\" run --pty -- true || echo failed $?; "
                         "\"$0\" run -- true || echo failed $?; i=$((i+1)); done; echo over").arg(command_path()));
  EXPECT_TRUE(screen.shows("over"));
  EXPECT_EQ(screen.text().find("failed"), std::string::npos) << screen.text();
}

TEST(CommandTerminal, ACommandWithoutOneIsNotStoppedByTostop) {  // P4
  EngineFixture host;
  Screen screen(host, sh("stty tostop; \"$0\" run -- echo its output; echo over").arg(command_path()));
  EXPECT_TRUE(screen.shows("its output\r\n"));
  EXPECT_TRUE(screen.shows("over\r\n"));
}

TEST(CommandTerminal, ARecordIsAsciicastVersion2) {
  EngineFixture host;
  TempFolder folder;
  const std::string file = folder / "session.cast";
  const std::string script = "printf 'gr\\303'; sleep 0.05; printf '\\274n \\377'; read word; "
                             "trap 'echo resized; exit' WINCH; echo ready; while :; do sleep 0.01; done";
  Screen screen(host, run_pty(script, {"--record", file}), {.rows = 30, .columns = 100});
  EXPECT_TRUE(screen.shows("n "));
  screen.type("word\r");
  EXPECT_TRUE(screen.shows("ready\r\n"));
  screen.resize({.rows = 40, .columns = 120});
  EXPECT_TRUE(screen.shows("resized\r\n"));
  EXPECT_EQ(exit_code(screen.program().wait()), 0);
  // Read by somebody else's parser: the head, then [seconds, kind, text] in order.
  const nr::Completed checked = host.run(python(R"(
import json, sys
lines = open(sys.argv[1], encoding='utf-8').read().splitlines()
head, events = json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
assert head['version'] == 2 and (head['width'], head['height']) == (100, 30), head
assert head['timestamp'] > 1e9 and head['command'].startswith('sh -c '), head
times = [event[0] for event in events]
assert times == sorted(times) and times[0] >= 0, times
shown = ''.join(text for _, kind, text in events if kind == 'o')
assert shown == 'gr\u00fcn \ufffdword\r\nready\r\nresized\r\n', repr(shown)
assert [text for _, kind, text in events if kind == 'r'] == ['120x40'], events
assert any(kind == 'o' and text.startswith('\u00fcn') for _, kind, text in events), events
)").arg(file));
  EXPECT_TRUE(checked.success()) << checked.err.text() << file_text(file);
}

TEST(CommandTerminal, ARecordWithAPrefixIsOfWhatIsShown) {
  const TempFolder folder;
  const std::string file = folder / "session.cast";
  const CommandResult result = netrunner_command(
      {"run", "--pty", "--record", file, "--prefix", "> ", "--", "sh", "-c", "echo one; printf two"});
  EXPECT_EQ(result.out, "> one\r\n> two") << result.err;
  const std::string record = file_text(file);
  EXPECT_NE(record.find("\"o\",\"> one\\r\\n\""), std::string::npos) << record;
  EXPECT_NE(record.find("> two"), std::string::npos) << record;
}

}  // namespace
}  // namespace tests
