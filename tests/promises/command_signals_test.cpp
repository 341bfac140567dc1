/// Signals to `netrunner run`: the ladder, what is passed on, and the terminal's stop (field reports G5, P10).

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

/// A running `netrunner run OPTIONS -- sh -c SCRIPT` whose script has written "ready".
class Running {
 public:
  Running(std::vector<std::string> options, const std::string& script)
      : line_(argv(std::move(options), script)) {
    EXPECT_TRUE(eventually([&] { return line_.out().find("ready\n") != std::string::npos; })) << line_.err();
  }
  [[nodiscard]] CommandLine& line() { return line_; }
  [[nodiscard]] std::string out() const {
    const std::string all = line_.out();
    return all.substr(std::min(all.find("ready\n") + 6, all.size()));
  }
  /// The process id that the script wrote after "pid ".
  [[nodiscard]] pid_t script_pid() const { return static_cast<pid_t>(std::stol(out().substr(4))); }

 private:
  static std::vector<std::string> argv(std::vector<std::string> options, const std::string& script) {
    options.insert(options.begin(), "run");
    options.insert(options.end(), {"--", "sh", "-c", script});
    return netrunner_argv(std::move(options));
  }
  CommandLine line_;
};

constexpr const char* wait_for_ever = "while :; do sleep 0.02; done";

TEST(CommandSignals, TermClimbsTheLadderAsGiven) {
  Running run({"--report", "-", "--ladder", "TERM:5s,KILL"},
              std::string("trap 'exit 7' TERM; echo ready; ") + wait_for_ever);
  run.line().signal(SIGTERM);
  const CommandResult result = run.line().wait();
  EXPECT_EQ(result.exit_status, 7);
  EXPECT_EQ(json_value(result.out, "reason"), "stopped");
  EXPECT_EQ(json_value(result.out, "code"), "7");
}

TEST(CommandSignals, TheSignalThatCameIsTheFirstRung) {
  for (const int signal : {SIGINT, SIGHUP, SIGQUIT}) {
    Running run({"--report", "-"}, std::string("ulimit -c 0; echo ready; ") + wait_for_ever);
    run.line().signal(signal);
    const CommandResult result = run.line().wait();
    EXPECT_EQ(result.exit_status, 128 + signal);
    EXPECT_EQ(json_value(result.out, "reason"), "stopped");
    EXPECT_EQ(json_value(result.out, "signal"), std::to_string(signal));
  }
}

TEST(CommandSignals, ACommandThatIgnoresTheFirstRungIsKilledByTheLast) {
  Running run({"--ladder", "TERM:100ms,KILL"}, std::string("trap '' TERM INT; echo ready; ") + wait_for_ever);
  run.line().signal(SIGINT);
  EXPECT_EQ(run.line().wait().exit_status, 137);
}

TEST(CommandSignals, TheSecondTerminationKillsAtOnce) {
  Running run({"--ladder", "TERM:60s,KILL"},
              std::string("trap 'echo trapped' TERM; echo ready; ") + wait_for_ever);
  run.line().signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return run.out().find("trapped") != std::string::npos; }));
  run.line().signal(SIGTERM);
  const CommandResult result = run.line().wait();
  EXPECT_EQ(result.exit_status, 137);
  EXPECT_LT(result.seconds, 30);
}

TEST(CommandSignals, WhatTheCommandWritesWhileItIsStoppedArrives) {
  Running run({"--streams", "pipe"},
              std::string("bye() { seq 1 20000; exit 7; }; trap bye TERM; echo ready; ") + wait_for_ever);
  run.line().signal(SIGTERM);
  const CommandResult result = run.line().wait();
  EXPECT_EQ(result.exit_status, 7);
  EXPECT_TRUE(run.line().out().ends_with("19999\n20000\n"));
}

TEST(CommandSignals, OtherSignalsArePassedOnOnceEach) {
  Running run({}, std::string("trap 'echo usr1' USR1; trap 'echo usr2' USR2; trap 'echo alrm' ALRM; echo ready; ") +
                      wait_for_ever);
  std::string expected;
  const std::pair<int, std::string> sent[] = {{SIGUSR1, "usr1\n"}, {SIGUSR2, "usr2\n"}, {SIGALRM, "alrm\n"}};
  for (int round = 0; round < 10; ++round) {
    for (const auto& [signal, name] : sent) {
      run.line().signal(signal);
      expected += name;
      EXPECT_TRUE(eventually([&] { return run.out() == expected; })) << run.out();
    }
  }
  run.line().signal(SIGTERM);
  EXPECT_EQ(run.line().wait().exit_status, 143);
}

TEST(CommandSignals, ABurstAroundTheExitIsSilent) {
  Running run({}, "trap 'exit 5' USR1; echo ready; " + std::string(wait_for_ever));
  for (int i = 0; i < 200; ++i) run.line().signal(SIGUSR1);
  const CommandResult result = run.line().wait();
  EXPECT_EQ(result.exit_status, 5);
  EXPECT_EQ(result.err, "");
}

TEST(CommandSignals, AStopOfTheTerminalStopsBothAndContinueContinuesBoth) {
  Running run({}, "echo ready; echo pid $$; exec sleep 60");
  EXPECT_TRUE(eventually([&] { return run.out().ends_with("\n"); }));
  const pid_t script = run.script_pid();
  for (int round = 0; round < 3; ++round) {
    run.line().signal(SIGTSTP);
    EXPECT_TRUE(eventually([&] { return process_state(run.line().pid()) == 'T'; }));
    EXPECT_TRUE(eventually([&] { return process_state(script) == 'T'; }));
    run.line().signal(SIGCONT);
    EXPECT_TRUE(eventually([&] { return process_state(script) == 'S'; }));
    EXPECT_TRUE(eventually([&] { return process_state(run.line().pid()) != 'T'; }));
  }
  run.line().signal(SIGTERM);
  EXPECT_EQ(run.line().wait().exit_status, 143);
}

TEST(CommandSignals, ASignalThatOurParentIgnoresStaysIgnored) {
  // As under nohup(1): the command sends HUP to netrunner, which the shell told to ignore it.
  const CommandResult result =
      netrunner_script("trap '' HUP; exec $NR run -- sh -c 'kill -HUP $1; sleep 0.1; exit 4' sh $$");
  EXPECT_EQ(result.exit_status, 4);
}

TEST(CommandSignals, NothingOfTheCommandIsLeftWhenNetrunnerIsKilled) {
  Running run({}, "setsid sleep $((4700 + 11)) & echo ready; echo pid $$; wait");
  EXPECT_TRUE(eventually([&] { return !processes_with_arguments("sleep 4711").empty(); }));
  run.line().signal(SIGKILL);
  EXPECT_EQ(run.line().wait().signal, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes_with_arguments("sleep 4711").empty(); }));
}

/// The reading end is open and nobody reads: netrunner has it itself.
CommandLine writer_without_reader(const std::string& fifo, int bytes) {
  return CommandLine({"/bin/sh", "-c",
                      "mkfifo $1; exec 9<>$1; exec $3 run --streams pipe -- "
                      "sh -c 'head -c $1 /dev/zero; echo $? >&2; sleep 0.1' sh $2 >$1",
                      "sh", fifo, std::to_string(bytes), command_path()});
}

TEST(CommandSignals, OutputThatNobodyTakesDoesNotKeepNetrunnerFromEnding) {
  const TempFolder folder;
  CommandLine blocked = writer_without_reader(folder / "blocked", 10'000'000);
  EXPECT_TRUE(eventually([&] { return !processes_with_arguments("head -c 10000000 /dev/zero").empty(); }));
  CommandLine left = writer_without_reader(folder / "left", 200'000);
  EXPECT_TRUE(eventually([&] { return left.err() == "0\n"; })) << "the command is done, its output is not";
  for (CommandLine* line : {&blocked, &left}) {
    EXPECT_TRUE(eventually([&] {
      line->signal(SIGTERM);
      return process_state(line->pid()) == 'Z';
    }));
    EXPECT_EQ(line->wait().exit_status, 143);
  }
}

}  // namespace
}  // namespace tests
