/// Any of stdin, stdout and stderr may be a terminal: its controlling terminal, size, modes and keys, as a command and
/// its user see them. Field reports P3, P4, P6, P8, P9, F9.

#include <cerrno>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

using Mode = nr::TerminalMode;

nr::Terminal raw() { return {.modes = nr::TerminalModes::raw()}; }
nr::Terminal quiet() { return {.modes = nr::TerminalModes().echo(false)}; }

/// Reads until `part` was read (or the output ends): the text so far.
std::string read_until(Running& command, std::string_view part) {
  std::string text;
  while (text.find(part) == std::string::npos) {
    const auto chunk = command.read();
    if (!chunk) break;
    text += chunk->text();
  }
  return text;
}

TEST(Terminal, EveryOfTheThreeStreamsAndNoOtherIsOne) {
  EngineFixture host;
  for (unsigned which = 1; which < 8; ++which) {
    TempFolder folder;
    // The redirection takes 1 away from the questions, so it is asked of a copy.
    nr::Command asks = sh("exec 3>&1; for n in 0 3 2; do test -t $n && echo $n | tr 3 1; done > " +
                          (folder / "report")).out(nr::Stdio::null()).err(nr::Stdio::null());
    if ((which & 1U) != 0) asks = asks.in(nr::Stdio::terminal());
    if ((which & 2U) != 0) asks = asks.out(nr::Stdio::terminal());
    if ((which & 4U) != 0) asks = asks.err(nr::Stdio::terminal());
    std::string expected;
    for (const unsigned stream : {0U, 1U, 2U}) {
      if ((which & 1U << stream) != 0) expected += std::to_string(stream) + "\n";
    }
    (void)host.run(asks);
    EXPECT_EQ(file_text(folder / "report"), expected);
  }
}

TEST(Terminal, StdoutMayBeOneWhileStderrIsAPipe) {
  EngineFixture host;
  Running both = host.spawn(sh("echo words; echo failure >&2; test -t 1 && ! test -t 2")
                                .out(nr::Stdio::terminal()).err(nr::Stdio::pipe()));
  EXPECT_EQ(both.read_all(nr::Stream::err), "failure\n");
  EXPECT_EQ(both.read_all(nr::Stream::out), "words\r\n");
  const nr::Ended ended = both.wait();
  EXPECT_TRUE(ended.success());
  EXPECT_EQ(ended.stream(nr::Stream::out)->bytes, 7U);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
  EXPECT_EQ(ended.stream(nr::Stream::err)->bytes, 8U);
}

TEST(Terminal, EachStreamThatLeadsToItNamesItForReadingAndWriting) {
  EngineFixture host;
  for (const nr::Stream name : {nr::Stream::in, nr::Stream::out, nr::Stream::err}) {
    Running cat = host.spawn(nr::Command("cat").terminal(quiet()));
    cat.write("hello\n", name);
    EXPECT_EQ(cat.read_exactly(7, name), "hello\r\n");
    cat.close_input(name);
    EXPECT_EQ(exit_code(cat.wait()), 0);
  }
}

TEST(Terminal, WhatIsWrittenToDevTtyComesThereTooAndItsAnswerGoesBack) {
  EngineFixture host;
  // As ssh and sudo ask for a password, whatever their streams are.
  Running asks = host.spawn(sh("printf 'password: ' >/dev/tty; read word </dev/tty; echo got $word")
                                .in(nr::Stdio::terminal()).out(nr::Stdio::pipe()).err(nr::Stdio::null())
                                .terminal(quiet()));
  EXPECT_EQ(asks.read_exactly(10, nr::Stream::in), "password: ");
  asks.write("secret\n");
  EXPECT_EQ(asks.read_all(nr::Stream::out), "got secret\n");
  EXPECT_TRUE(asks.wait().success());
}

TEST(Terminal, EchoGivesBackWhatIsTyped) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").terminal());
  cat.write("hi\n");
  EXPECT_EQ(cat.read_exactly(8), "hi\r\nhi\r\n");
  cat.close_input();
  EXPECT_EQ(cat.read_all(), "");
  const nr::Ended ended = cat.wait();
  EXPECT_EQ(exit_code(ended), 0);
  EXPECT_EQ(ended.stream(nr::Stream::in)->bytes, 3U) << "the ^D is no input";
  EXPECT_EQ(ended.stream(nr::Stream::in)->direction, nr::Direction::to_command);
  EXPECT_EQ(ended.stream(nr::Stream::in)->end, nr::StreamEnd::file_end);
  EXPECT_EQ(ended.stream(nr::Stream::out)->bytes, 8U);
}

TEST(Terminal, EndOfInputAfterAnUnfinishedLineIsAnEndOfInput) {
  EngineFixture host;
  Running count = host.spawn(nr::Command("wc", "-c").terminal(quiet()));
  count.write("no newline");
  count.close_input();
  EXPECT_EQ(count.read_all(), "10\r\n");
  Running empty = host.spawn(nr::Command("wc", "-c").terminal(quiet()));
  empty.close_input();
  EXPECT_EQ(empty.read_all(), "0\r\n");
}

TEST(Terminal, NothingCanBeTypedAfterTheEndOfInput) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").terminal(quiet()));
  cat.close_input();
  const auto written = nr::blocking::get(cat.process().write("more"), verb_deadline());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, nr::ErrorCode::broken_pipe);
  EXPECT_EQ(exit_code(cat.wait()), 0);
}

TEST(Terminal, WaitingDoesNotEndTheInput) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").terminal(quiet()));
  EXPECT_FALSE(nr::blocking::get(cat.process().wait(), nr::Deadline::after(200ms)));
  cat.write("still here\n");
  EXPECT_EQ(cat.read_exactly(12), "still here\r\n");
}

TEST(Terminal, ARunHasAnEndOfInputAndOneOutput) {
  EngineFixture host;
  const nr::Completed completed = host.run(sh("cat; echo out; echo err >&2").terminal());
  EXPECT_TRUE(completed.success());
  EXPECT_EQ(completed.out.head, "out\r\nerr\r\n");
  EXPECT_EQ(completed.err.total_bytes, 0U);
  // Nobody asked for what is echoed or asked here, and it holds up nobody.
  const nr::Completed typed = host.run(sh("cat; seq 1 20000 >/dev/tty; echo out; echo err >&2")
                                           .in(nr::Stdio::terminal()));
  EXPECT_EQ(typed.out.head, "out\n");
  EXPECT_EQ(typed.err.head, "err\n");
}

TEST(Terminal, IsTheControllingOneOfASessionOfItsOwn) {  // P4
  EngineFixture host;
  Running shell = host.spawn(sh("ps -o pid=,sid=,pgid=,tpgid=,tty= -p $$; tty; readlink /proc/self/fd/1").terminal());
  const std::string text = shell.read_all();
  std::istringstream words(text);
  std::string pid, session, group, foreground, name, tty, link;
  words >> pid >> session >> group >> foreground >> name >> tty >> link;
  EXPECT_EQ(pid, session) << text;
  EXPECT_EQ(pid, group);
  EXPECT_EQ(pid, foreground);
  EXPECT_EQ(tty, "/dev/" + name);
  EXPECT_EQ(tty, link);
  EXPECT_TRUE(name.starts_with("pts/"));
}

TEST(Terminal, MayBeADescriptorAlone) {
  EngineFixture host;
  Running shell = host.spawn(sh("test -t 1 && ps -o tty= -p $$; (: </dev/tty) 2>/dev/null || echo none")
                                 .terminal({.controlling = false}));
  EXPECT_EQ(shell.read_all(), "?\r\nnone\r\n");
}

TEST(Terminal, JobControlWorks) {  // P4
  EngineFixture host;
  Running bash = host.spawn(nr::Command("bash", "--norc", "-ic", "sleep 0.1 & fg; echo ok").terminal());
  const std::string text = bash.read_all();
  EXPECT_TRUE(text.ends_with("sleep 0.1\r\nok\r\n")) << text;
  EXPECT_EQ(text.find("cannot set terminal process group"), std::string::npos) << text;
  EXPECT_EQ(text.find("no job control"), std::string::npos) << text;
  EXPECT_TRUE(bash.wait().success());
}

TEST(Terminal, ControlCReachesTheForegroundGroupAndOnlyThat) {
  EngineFixture host;
  Running alone = host.spawn(sh("echo ready; exec sleep 1000").terminal());
  EXPECT_EQ(alone.read_exactly(7), "ready\r\n");
  alone.write("\x03");
  const nr::Ended ended = alone.wait();
  EXPECT_EQ(end_signal(ended), SIGINT);
  EXPECT_EQ(ended.reason, nr::EndReason::signaled);

  Running bash = host.spawn(nr::Command("bash", "--norc", "-i").env("PS1", "> ").terminal(quiet()));
  bash.write("sh -c 'echo begun; exec sleep 1000'\n");
  EXPECT_NE(read_until(bash, "begun\r\n").find("begun"), std::string::npos);
  bash.write("\x03");
  bash.write("echo status $?\n");
  EXPECT_NE(read_until(bash, "status 130\r\n").find("status 130"), std::string::npos);
  bash.write("exit 4\n");
  EXPECT_EQ(exit_code(bash.wait()), 4);
}

TEST(Terminal, ControlZStopsAJobOfAShell) {
  EngineFixture host;
  Running bash = host.spawn(nr::Command("bash", "--norc", "-i").env("PS1", "> ").terminal(quiet()));
  // By exec: dash would start it by vfork, where a stop can't be seen by the shell.
  bash.write("sh -c 'echo begun; exec sleep 1000'\n");
  (void)read_until(bash, "begun\r\n");
  bash.write("\x1a");
  EXPECT_NE(read_until(bash, "Stopped").find("Stopped"), std::string::npos);
  bash.write("kill %1; fg >/dev/null; exit 3\n");
  EXPECT_EQ(exit_code(bash.wait()), 3);
}

TEST(Terminal, HasItsSizeBeforeTheFirstInstruction) {  // P8
  EngineFixture host;
  EXPECT_EQ(host.run(nr::Command("stty", "size").terminal()).out.head, "24 80\r\n");
  const nr::Command sized =
      nr::Command("stty", "size").terminal({.size = {.rows = 50, .columns = 132, .x_pixels = 1320, .y_pixels = 1000}});
  for (std::size_t round = 0; round < scaled(1000, 10); ++round) {
    ASSERT_EQ(host.run(sized).out.head, "50 132\r\n");
  }
  const nr::Command pixels = python(
      "import fcntl,termios,struct; print(*struct.unpack('4H', fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))))");
  EXPECT_EQ(host.run(pixels.terminal(sized.spec().terminal)).out.head, "50 132 1320 1000\r\n");
}

TEST(Terminal, WithoutARowOrAColumnIsRefused) {  // P8
  EngineFixture host;
  for (const nr::WindowSize size : {nr::WindowSize{.rows = 0, .columns = 80}, {.rows = 24, .columns = 0}}) {
    const auto refused = nr::blocking::get(host->spawn(nr::Command("true").terminal({.size = size})));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, nr::ErrorCode::invalid_argument);
    EXPECT_NE(refused.error().message().find("size"), std::string::npos);
    Running cat = host.spawn(nr::Command("cat").terminal());
    const auto resized = nr::blocking::get(cat.process().resize(size), verb_deadline());
    ASSERT_FALSE(resized);
    EXPECT_EQ(resized.error().code, nr::ErrorCode::invalid_argument);
  }
}

TEST(Terminal, ANewSizeIsToldBySigwinchAndTheSameOneIsNot) {  // P8
  EngineFixture host;
  Running shell = host.spawn(
      sh("trap 'stty size' WINCH; echo ready; while :; do sleep 0.01; done").terminal(quiet()));
  EXPECT_EQ(read_until(shell, "ready\r\n"), "ready\r\n");
  const auto resize = [&](nr::WindowSize size) {
    value_of(nr::blocking::get(shell.process().resize(size), verb_deadline()));
  };
  resize({.rows = 10, .columns = 20});
  EXPECT_EQ(read_until(shell, "\n"), "10 20\r\n");
  for (int round = 0; round < 5; ++round) resize({.rows = 10, .columns = 20});
  resize({.rows = 11, .columns = 20});
  EXPECT_EQ(read_until(shell, "\n"), "11 20\r\n");
}

TEST(Terminal, AResizeThatMeetsTheEndTouchesNothing) {  // P6
  EngineFixture host;
  Running bystander = host.spawn(nr::Command("cat").terminal(quiet()));
  for (std::size_t round = 0; round < scaled(2000, 30); ++round) {
    Running brief = host.spawn(nr::Command("true").terminal());
    for (std::uint16_t rows = 1;; rows = static_cast<std::uint16_t>(rows % 200 + 1)) {
      const auto resized = nr::blocking::get(brief.process().resize({.rows = rows, .columns = 7}), verb_deadline());
      if (resized) continue;
      ASSERT_EQ(resized.error().code, nr::ErrorCode::already_exited) << resized.error().message();
      break;
    }
    EXPECT_TRUE(brief.wait().success());
  }
  Running size = host.spawn(nr::Command("stty", "-F", "/proc/" + std::to_string(bystander.pid()) + "/fd/0", "size"));
  EXPECT_EQ(size.read_all(), "24 80\n");
}

TEST(Terminal, CommandsWithoutOneSaySo) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  const auto resized = nr::blocking::get(cat.process().resize({}), verb_deadline());
  ASSERT_FALSE(resized);
  EXPECT_EQ(resized.error().code, nr::ErrorCode::invalid_argument);
  EXPECT_NE(resized.error().message().find("Stdio::terminal()"), std::string::npos);
  EXPECT_FALSE(nr::blocking::get(cat.process().terminal_modes(), verb_deadline()));
}

TEST(Terminal, WhatCanNotBeOneIsRefusedByName) {
  EngineFixture host;
  const auto refused = [&](const nr::Command& command) {
    const auto started = nr::blocking::get(host->spawn(command), verb_deadline());
    return started ? std::string() : started.error().message();
  };
  EXPECT_NE(refused(nr::Command("true").extra({3, nr::Direction::from_command, nr::Stdio::terminal()})).find("3"),
            std::string::npos);
  EXPECT_NE(refused(nr::Command("true").terminal().grouping(nr::Grouping::join, 4711)).find("session"),
            std::string::npos);
  const auto unknown = static_cast<nr::TerminalMode>(11);
  EXPECT_NE(refused(nr::Command("true").terminal({.modes = nr::TerminalModes().set(unknown, 1)})).find("11"),
            std::string::npos);
}

TEST(Terminal, RawIsBytesAsTheyAre) {
  EngineFixture host;
  const std::string every = [] {
    std::string bytes;
    for (int value = 0; value < 256; ++value) bytes += static_cast<char>(value);
    return bytes;
  }();
  Running cat = host.spawn(nr::Command("cat").terminal(raw()));
  cat.write(every);
  EXPECT_EQ(cat.read_exactly(every.size()), every);
}

TEST(Terminal, AProgramThatBuffersForAPipeWritesLinesToIt) {  // F9
  EngineFixture host;
  const nr::Command prints = python("import time; print('x'); time.sleep(1000)").unset_env("PYTHONUNBUFFERED");
  Running terminal = host.spawn(prints.terminal(raw()));
  EXPECT_EQ(terminal.read_exactly(2), "x\n") << "and no \\r";
  Running pipe = host.spawn(prints);
  EXPECT_FALSE(nr::blocking::get(pipe.process().read(), nr::Deadline::after(300ms))) << "python would do it by itself";
}

TEST(Terminal, ModesAreSetBeforeExecByTheirNumbersInRfc4254) {
  EngineFixture host;
  const nr::TerminalModes modes = nr::TerminalModes()
                                      .echo(false)
                                      .set(Mode::vintr, 7)
                                      .set(Mode::icrnl, 0)
                                      .set(Mode::ixany, 1)
                                      .set(Mode::onlcr, 0)
                                      .set(Mode::tostop, 1)
                                      .set(Mode::iutf8, 1)
                                      .speed(9600);
  const std::string all = host.run(nr::Command("stty", "-a").terminal({.modes = modes})).out.head;
  for (const char* part : {"speed 9600 baud", "intr = ^G", " -icrnl", " ixany", " -onlcr", " -echo ", " tostop",
                           " iutf8", "isig icanon"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part << " in\n" << all;
  }
}

TEST(Terminal, ModesAreReadAndChangedWhileItRuns) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").terminal());
  const auto before = value_of(nr::blocking::get(cat.process().terminal_modes(), verb_deadline()));
  EXPECT_EQ(before.value(Mode::echo), 1U);
  EXPECT_EQ(before.value(Mode::veof), 4U);
  EXPECT_EQ(before.value(Mode::cs8), 1U);
  EXPECT_EQ(before.value(Mode::ospeed), 38400U);
  EXPECT_EQ(before.settings().size(), 53U) << "each that Linux has";
  const auto changes = nr::TerminalModes().echo(false).set(Mode::parenb, 1).set(Mode::ospeed, 123'456);
  const auto after = value_of(nr::blocking::get(cat.process().set_terminal_modes(changes), verb_deadline()));
  EXPECT_EQ(after.value(Mode::echo), 0U);
  EXPECT_EQ(after.value(Mode::parenb), 0U) << "a pseudo-terminal has no parity";
  EXPECT_EQ(after.value(Mode::ospeed), 123'456U);
  cat.write("quiet\n");
  EXPECT_EQ(cat.read_exactly(7), "quiet\r\n");
  cat.close_input();
  EXPECT_EQ(exit_code(cat.exited()), 0);
  const auto late = nr::blocking::get(cat.process().set_terminal_modes(changes), verb_deadline());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, nr::ErrorCode::already_exited);
}

TEST(Terminal, EveryModeThatIsReadCanBeWrittenBack) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").terminal(raw()));
  const auto all = value_of(nr::blocking::get(cat.process().terminal_modes(), verb_deadline()));
  const auto again = value_of(nr::blocking::get(cat.process().set_terminal_modes(all), verb_deadline()));
  EXPECT_TRUE(again == all);
}

TEST(Terminal, BelongsToTheUserThatTheCommandRunsAs) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs commands as another user";
  EngineFixture host;
  const nr::Command asks = sh("stat -L -c %u /proc/self/fd/0; echo again >$(tty)").terminal();
  EXPECT_EQ(host.run(asks.identity({.uid = 65534, .gid = 65534, .groups = {}})).out.head, "65534\r\nagain\r\n");
}

TEST(Terminal, AProgramThatCanNotBeRunLeavesNoneBehind) {  // P9: the leak check counts the host's descriptors.
  EngineFixture host;
  for (std::size_t round = 0; round < scaled(1000, 20); ++round) {
    const auto missing = nr::blocking::get(host->spawn(nr::Command("/no/such/program").terminal()), verb_deadline());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, nr::ErrorCode::not_found);
    EXPECT_EQ(missing.error().stage, nr::Stage::exec);
  }
}

TEST(Terminal, WhereNoneIsLeftTheErrorSaysSoAndOthersGoOn) {  // P9
  if (geteuid() != 0) GTEST_SKIP() << "a devpts of its own needs root";
  EXPECT_TRUE(host_succeeds("few_terminals_host", {"few"}));
  EXPECT_TRUE(host_succeeds("few_terminals_host", {"none"}));
}

TEST(Terminal, TheShepherdHasNone) {  // P3
  EngineFixture host;
  Running cat = host.spawn(nr::Command("cat").terminal());
  for (std::size_t shard = 0; shard < 2; ++shard) {
    const std::string pid = std::to_string(host.shard_stats(shard).shepherd_pid);
    EXPECT_EQ(host.run(sh("ps -o tty= -p " + pid)).out.head, "?\n");
  }
}

class TerminalContainment : public testing::TestWithParam<nr::Containment> {};

TEST_P(TerminalContainment, IsControllingAndReachesThoseThatLeaveItsSession) {
  SKIP_WITHOUT_CONTAINMENT(GetParam());
  EngineFixture host{options_of(GetParam())};
  const nr::Completed named = host.run(sh("test -t 0 && [ \"$(tty)\" = \"$(readlink /proc/self/fd/0)\" ] && "
                                          "test -c \"$(tty)\" && echo by name >\"$(tty)\" && echo ctty >/dev/tty")
                                           .terminal());
  EXPECT_EQ(named.out.head, "by name\r\nctty\r\n") << nr::to_string(named.ended.status);
  EXPECT_EQ(named.ended.containment, GetParam());
  if (GetParam() == nr::Containment::process_group) return;  // Whoever leaves the group is out of its reach.
  WithEscapee both = with_escapee(host, child("escapee", "stay", "deaf").terminal(quiet())
                                            .ladder({{SIGTERM, nr::Target::group, 100ms}}));
  both.command.process().stop();
  EXPECT_TRUE(both.command.wait().tree_empty);
  EXPECT_FALSE(is_running(both.escapee));
}

INSTANTIATE_TEST_SUITE_P(Levels, TerminalContainment,
                         testing::Values(nr::Containment::process_group, nr::Containment::cgroup,
                                         nr::Containment::subreaper, nr::Containment::pid_namespace),
                         [](const auto& tested) { return test_name_of(tested.param); });

}  // namespace
}  // namespace tests
