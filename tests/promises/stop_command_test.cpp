/// A rung of the ladder that runs a command: in time, contained, bounded, and whoever is dead. Theme KILL.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/captures.hpp"
#include "tests/support/child.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/event_log.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

const std::string forever = "while :; do sleep 0.05; done";
/// Ends with 5 when it gets USR1, and heeds nothing else.
const std::string only_usr1 = "trap '' TERM INT HUP; trap 'exit 5' USR1; echo ready; " + forever;
const std::string deaf_script = "trap '' TERM INT HUP USR1; echo ready; " + forever;

nr::Rung run_script(const std::string& script, nr::Nanoseconds pause) {
  return nr::Rung::run({"/bin/sh", "-c", script}, pause);
}
nr::KillLadder stop_script(const std::string& script, nr::Nanoseconds pause = 60s) {
  return {run_script(script, pause)};
}

Running ready(EngineFixture& host, const nr::Command& command) {
  Running running = host.spawn(command);
  EXPECT_EQ(running.read_exactly(6), "ready\n");
  return running;
}

class StopCommand : public testing::TestWithParam<nr::Containment> {
 protected:
  void SetUp() override { SKIP_WITHOUT_CONTAINMENT(GetParam()); }
};

TEST_P(StopCommand, EndsTheCommandAsItLikes) {
  EngineFixture host{options_of(GetParam())};
  Running command = ready(host, sh(only_usr1).ladder(stop_script("kill -USR1 $NETRUNNER_PID")));
  command.process().stop();
  const nr::Ended ended = command.wait();
  EXPECT_EQ(exit_code(ended), 5);
  EXPECT_EQ(ended.reason, nr::EndReason::stopped);
  EXPECT_TRUE(ended.signals.empty()) << "no rung with a signal was due";
  ASSERT_EQ(ended.stop_commands.size(), 1u);
  EXPECT_EQ(ended.stop_commands[0].program, "/bin/sh");
  EXPECT_GT(ended.stop_commands[0].pid, 0);
  EXPECT_FALSE(ended.stop_commands[0].error);
  EXPECT_EQ(ended.stragglers, 0u);
  EXPECT_TRUE(ended.tree_empty);
}

TEST_P(StopCommand, LeavesNothingAndCountsForNothing) {
  EngineFixture host{options_of(GetParam())};
  const std::string mark = "STOP_COMMAND_MARK=" + std::string(nr::name_of(GetParam()));
  const nr::Command marked = sh(only_usr1).env("STOP_COMMAND_MARK", std::string(nr::name_of(GetParam())));
  Running command = ready(
      host, marked.ladder(stop_script("trap '' TERM; sleep 1000 & sleep 999 & kill -USR1 $NETRUNNER_PID; sleep 998")));
  command.process().stop();
  const nr::Ended ended = command.wait();
  EXPECT_EQ(exit_code(ended), 5);
  EXPECT_EQ(ended.stragglers, 0u) << "what the stop command started is none of the command's";
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_TRUE(eventually([&] { return processes_with_environment(mark).empty(); }))
      << to_string(processes_with_environment(mark));
}

TEST_P(StopCommand, ThatHangsHasNoMoreThanItsPause) {
  EngineFixture host{options_of(GetParam())};
  const std::string mark = "STOP_COMMAND_HANGS=" + std::string(nr::name_of(GetParam()));
  const nr::Command marked = sh(deaf_script).env("STOP_COMMAND_HANGS", std::string(nr::name_of(GetParam())));
  // What leaves the group of the stop command goes with the last rung, as far as the containment reaches.
  const std::string escape = GetParam() == nr::Containment::process_group ? "" : "setsid sleep 1000 & ";
  const std::string script = "trap '' TERM; " + escape + "sleep 1000; sleep 1000";
  Running command = ready(host, marked.ladder(stop_script(script, 400ms)));
  command.process().stop();
  const nr::Ended ended = command.wait();
  EXPECT_EQ(end_signal(ended), SIGKILL);
  ASSERT_EQ(ended.stop_commands.size(), 1u);
  ASSERT_EQ(ended.signals.size(), 1u);
  const nr::Nanoseconds pause{ended.signals[0].at_ns - ended.stop_commands[0].at_ns};
  EXPECT_GE(pause, 100ms) << "at least what its exec did not take";
  EXPECT_LT(pause, patience(10s));
  EXPECT_TRUE(eventually([&] { return processes_with_environment(mark).empty(); }))
      << to_string(processes_with_environment(mark));
}

TEST_P(StopCommand, ReachesACommandThatIsStopped) {
  EngineFixture host{options_of(GetParam())};
  const std::string wake = "kill -USR1 $NETRUNNER_PID; kill -CONT $NETRUNNER_PID";
  Running command = ready(host, sh(only_usr1).ladder(stop_script(wake)));
  ASSERT_TRUE(nr::blocking::get(command.process().signal(SIGSTOP, nr::Target::leader)));
  EXPECT_TRUE(eventually([&] { return process_state(command.pid()) == 'T'; }));
  command.process().stop();
  EXPECT_EQ(exit_code(command.wait()), 5);
}

TEST_P(StopCommand, ThatCantBeExecutedHoldsNothingUp) {
  EventLog log;
  nr::EngineOptions options = options_of(GetParam());
  options.on_event = log.callback();
  EngineFixture host{options};
  const nr::KillLadder ladder{nr::Rung::run({"/no/such/program"}, 600s), {SIGTERM, nr::Target::group, 600s}};
  Running command = ready(host, sh("echo ready; exec sleep 1000").ladder(ladder));
  const std::uint64_t id = command.process().id();
  command.process().stop();
  const nr::Ended ended = command.wait();
  EXPECT_EQ(end_signal(ended), SIGTERM);
  ASSERT_EQ(ended.stop_commands.size(), 1u);
  ASSERT_TRUE(ended.stop_commands[0].error);
  EXPECT_EQ(ended.stop_commands[0].error->code, nr::ErrorCode::not_found);
  EXPECT_EQ(ended.stop_commands[0].error->stage, nr::Stage::exec);
  EXPECT_NE(ended.stop_commands[0].error->message().find("/no/such/program"), std::string::npos);
  EXPECT_EQ(kinds_of(log.of(id)), "queued spawned exec output stop stop_command signal exited drained gone");
}

INSTANTIATE_TEST_SUITE_P(Levels, StopCommand,
                         testing::Values(nr::Containment::cgroup, nr::Containment::subreaper,
                                         nr::Containment::pid_namespace, nr::Containment::process_group),
                         [](const auto& tested) { return test_name_of(tested.param); });

TEST(StopCommandRung, FindsWhatTheCommandHas) {
  const TempFolder folder, host_folder;
  EngineFixture host;
  const std::string look =
      "{ pwd; echo \"$KEPT\"; umask; ulimit -n; for n in 0 1 2; do readlink /proc/$$/fd/$n; done; "
      "set -- /proc/$$/fd/*; echo $#; cut -d' ' -f5 /proc/$$/stat; echo $$; echo $NETRUNNER_PID; } > told; "
      "kill -USR1 $NETRUNNER_PID";
  Running command = ready(host, sh(only_usr1)
                                    .cwd(folder.path())
                                    .env("KEPT", "yes")
                                    .env("NETRUNNER_PID", "1")
                                    .umask(027)
                                    .resource_limit({RLIMIT_NOFILE, 77, 99})
                                    .ladder(stop_script(look)));
  command.process().stop();
  const nr::Ended ended = command.wait();
  EXPECT_EQ(exit_code(ended), 5);
  ASSERT_EQ(ended.stop_commands.size(), 1u);
  const std::string pid = std::to_string(ended.stop_commands[0].pid);
  EXPECT_EQ(file_text(folder / "told"), folder.path() + "\nyes\n0027\n77\n/dev/null\n" + (folder / "told") +
                                            "\n/dev/null\n5\n" + pid + "\n" + pid + "\n" +
                                            std::to_string(command.pid()) + "\n")
      << "stdout is the redirection's here; the shell has one to put it back, and one to look";
}

TEST(StopCommandRung, TheDirectoryOfTheHostIsThatOfTheStart) {
  const TempFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  EngineFixture host;
  std::filesystem::create_directory(folder / "below");
  std::filesystem::current_path(folder.path());
  Running command =
      ready(host, sh(only_usr1).cwd("below").ladder(stop_script("pwd > told; kill -USR1 $NETRUNNER_PID")));
  std::filesystem::current_path(before);
  command.process().stop();
  EXPECT_EQ(exit_code(command.wait()), 5);
  EXPECT_EQ(file_text(folder / "below/told"), (folder / "below") + "\n");
}

/// A command that only USR1 ends, when its ladder has sent it.
nr::Ended stopped_by(EngineFixture& host, const nr::KillLadder& ladder) {
  Running command = ready(host, sh(only_usr1).ladder(ladder));
  command.process().stop();
  nr::Ended ended = command.wait();
  EXPECT_EQ(exit_code(ended), 5);
  return ended;
}

TEST(StopCommandRung, OneAfterTheOtherEachInItsPause) {
  EngineFixture host;
  const nr::KillLadder ladder{run_script("trap '' TERM; sleep 1000", 200ms), nr::Rung::run({"no-such-program"}, 600s),
                              run_script("kill -USR1 $NETRUNNER_PID", 60s)};
  const nr::Ended ended = stopped_by(host, ladder);
  ASSERT_EQ(ended.stop_commands.size(), 3u);
  EXPECT_EQ(ended.stop_commands[1].program, "no-such-program");
  EXPECT_TRUE(ended.stop_commands[1].error);
  EXPECT_FALSE(ended.stop_commands[2].error);
}

TEST(StopCommandRung, OneWithoutTimeToBeExecutedIsToldToo) {
  EngineFixture host;
  const nr::KillLadder ladder{nr::Rung::run({"true", "1"}, 1ns), nr::Rung::run({"false", "2"}, 1ns),
                              run_script("kill -USR1 $NETRUNNER_PID", 60s)};
  const nr::Ended ended = stopped_by(host, ladder);
  ASSERT_EQ(ended.stop_commands.size(), 3u);
  EXPECT_EQ(ended.stop_commands[0].program, "true");
  EXPECT_EQ(ended.stop_commands[1].program, "false");
  EXPECT_EQ(ended.stop_commands[2].program, "/bin/sh");
}

TEST(StopCommandRung, ASecondStopEndsItWithTheCommand) {
  EngineFixture host;
  Running command = ready(host, sh(deaf_script).env("STOP_COMMAND_SECOND", "1").ladder(
                                    stop_script("trap '' TERM; sleep 1000; sleep 1000", 600s)));
  command.process().stop();
  EXPECT_TRUE(eventually([] { return processes_with_arguments("trap '' TERM; sleep 1000").size() == 1; }));
  const Stopwatch watch;
  command.process().kill();
  EXPECT_EQ(end_signal(command.wait()), SIGKILL);
  EXPECT_LT(watch.elapsed(), patience(20s));
  EXPECT_TRUE(eventually([] { return processes_with_environment("STOP_COMMAND_SECOND=1").empty(); }));
}

TEST(StopCommandRung, AnotherLadderBringsItsOwn) {
  EngineFixture host;
  Running plain = ready(host, sh(only_usr1));
  plain.process().stop(stop_script("kill -USR1 $NETRUNNER_PID"));
  const nr::Ended ended = plain.wait();
  EXPECT_EQ(exit_code(ended), 5);
  ASSERT_EQ(ended.stop_commands.size(), 1u);
  EXPECT_EQ(ended.stop_commands[0].program, "/bin/sh");

  // While one of the first ladder runs.
  Running busy = ready(host, sh(only_usr1).ladder(stop_script("sleep 1000", 600s)));
  busy.process().stop();
  EXPECT_TRUE(eventually([&] { return busy.stats().signals_sent == 0; }));
  busy.process().stop(stop_script("kill -USR1 $NETRUNNER_PID", 300s));
  EXPECT_EQ(exit_code(busy.wait()), 5);
}

TEST(StopCommandRung, AFrozenCommandIsThawedInTimeOrKilled) {
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::cgroup);
  EngineFixture host{options_of(nr::Containment::cgroup)};
  const auto freeze = [](pid_t pid, bool frozen) {
    const std::string text = proc_file(pid, "cgroup");
    const std::size_t at = text.find("0::/") + 3;
    const std::string group = own_cgroup_mount() + text.substr(at, text.find('\n', at) - at);
    write_file(group + "/cgroup.freeze", frozen ? "1" : "0");
    return eventually([&] { return file_text(group + "/cgroup.events").find(frozen ? "frozen 1" : "frozen 0") !=
                                   std::string::npos; });
  };
  Running killed = ready(host, sh(only_usr1).ladder(stop_script("kill -USR1 $NETRUNNER_PID", 300ms)));
  ASSERT_TRUE(freeze(killed.pid(), true));
  killed.process().stop();
  const nr::Ended ended = killed.wait();
  EXPECT_EQ(end_signal(ended), SIGKILL);
  ASSERT_EQ(ended.stop_commands.size(), 1u);
  ASSERT_TRUE(ended.stop_commands[0].error);
  EXPECT_EQ(ended.stop_commands[0].error->sys_errno, EBUSY);

  Running thawed = ready(host, sh(only_usr1).ladder(stop_script("kill -USR1 $NETRUNNER_PID", 60s)));
  ASSERT_TRUE(freeze(thawed.pid(), true));
  thawed.process().stop();
  EXPECT_TRUE(remains([&] { return is_running(thawed.pid()); }));
  ASSERT_TRUE(freeze(thawed.pid(), false));
  EXPECT_EQ(exit_code(thawed.wait()), 5);
}

TEST(StopCommandRung, RunsUnderTheLimitsOfTheCommand) {
  const TempFolder folder;
  EngineFixture host;
  const nr::Command limited = sh(only_usr1).limits({.memory_max = 256_MiB}, nr::LimitPolicy::best_effort);
  Running command = ready(host, limited.cwd(folder.path()).ladder(
                                    stop_script("cat /proc/$NETRUNNER_PID/cgroup > command; "
                                                "cat /proc/self/cgroup > stop; kill -USR1 $NETRUNNER_PID")));
  command.process().stop();
  EXPECT_EQ(exit_code(command.wait()), 5);
  EXPECT_EQ(file_text(folder / "command"), file_text(folder / "stop"));
}

TEST(StopCommandRung, CostsTheHelperNoDescriptor) {
  EngineFixture host{options_of(nr::Containment::automatic)};
  const pid_t shepherd = host.shard_stats().shepherd_pid;
  std::vector<Running> commands;
  commands.push_back(ready(host, sh("echo ready; exec sleep 1000").ladder(stop_script("exit", 1s))));
  const std::size_t before = descriptors(shepherd).size();
  for (int n = 0; n < 20; ++n) {
    commands.push_back(ready(host, sh("echo ready; exec sleep 1000").ladder(stop_script("exit", 1s))));
  }
  EXPECT_LT(descriptors(shepherd).size(), before + 5) << "a sibling may have been introduced meanwhile";
}

// More at once than can be started at once.
TEST(StopCommandCrowd, EachCommandGetsItsOwn) {
  nr::EngineOptions options = two_shards();
  options.shards = 1;
  EngineFixture host{options};
  std::vector<Running> commands;
  const nr::Command command = sh(only_usr1).ladder(stop_script("kill -USR1 $NETRUNNER_PID", 600s));
  for (std::size_t n = 0; n < scaled(300, 60); ++n) commands.push_back(ready(host, command));
  for (Running& one : commands) one.process().stop();
  for (Running& one : commands) EXPECT_EQ(exit_code(one.wait()), 5);
}

TEST(StopCommandRung, IsRefusedWhereItCantBeRight) {
  EngineFixture host;
  const auto refused = [&](const nr::KillLadder& ladder) {
    const auto spawned = nr::blocking::get(host->spawn(nr::Command("true").ladder(ladder)), verb_deadline());
    return spawned ? std::string() : spawned.error().message();
  };
  EXPECT_NE(refused({nr::Rung::run({""}, 1s)}).find("ladder rung 1 program"), std::string::npos);
  EXPECT_NE(refused({nr::Rung::run({"true"}, 0s)}).find("pause"), std::string::npos);
  EXPECT_NE(refused({nr::Rung::run({"a", std::string("b\0c", 3)}, 1s)}).find("argv[1]"), std::string::npos);
  EXPECT_NE(refused(nr::KillLadder::of(std::vector<nr::Rung>(5, nr::Rung::run({"true"}, 1s)))).find("4 commands"),
            std::string::npos);
}

// Alone: another engine that starts meanwhile sweeps what a dead host left.
TEST(StopCommandDeadHostCrowd, ItIsRunAllTheSame) {
  const TempFolder folder;
  HostProgram host("doomed_host", {"wait", folder / "told", only_usr1, "2",
                                   "exec(echo $NETRUNNER_PID >> '" + (folder / "told") +
                                       "'; kill -USR1 $NETRUNNER_PID):60s"});
  ASSERT_TRUE(host.reports("ready"));
  host.kill();
  const Stopwatch watch;
  EXPECT_TRUE(eventually([] {
    std::vector<ProcessEntry> left = processes_with_environment(current_mark());
    std::erase_if(left, [](const ProcessEntry& entry) { return entry.parent == getpid(); });
    return left.empty();
  }));
  const std::string told = file_text(folder / "told");
  EXPECT_EQ(std::ranges::count(told, '\n'), 2) << told;
  EXPECT_LT(watch.elapsed(), patience(30s)) << "the pause of a minute was not needed";
}

}  // namespace
}  // namespace tests
