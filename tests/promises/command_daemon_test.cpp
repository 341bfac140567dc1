/// `netrunner daemon` as a user drives it: options, signals, state file, logs, as init of a container. Theme DAEMON.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include "tests/support/bystander.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

std::vector<std::string> daemon_argv(std::vector<std::string> options, const std::string& script) {
  options.insert(options.begin(), "daemon");
  options.insert(options.end(), {"--", "sh", "-c", script});
  return netrunner_argv(std::move(options));
}

CommandResult run_daemon(std::vector<std::string> options, const std::string& script) {
  CommandLine line(daemon_argv(std::move(options), script));
  return line.wait();
}

/// A running `netrunner daemon` that has said that its command is ready.
class Daemon {
 public:
  Daemon(std::vector<std::string> options, const std::string& script) : line_(daemon_argv(std::move(options), script)) {
    EXPECT_TRUE(says("ready, pid ")) << line_.err();
  }
  [[nodiscard]] CommandLine& line() { return line_; }
  [[nodiscard]] testing::AssertionResult says(const std::string& words) {
    return eventually([&] { return line_.err().find(words) != std::string::npos; });
  }
  [[nodiscard]] CommandResult stop(int signal = SIGTERM) {
    line_.signal(signal);
    return line_.wait();
  }

 private:
  CommandLine line_;
};

constexpr const char* stays = "exec sleep 1000";

TEST(CommandDaemon, SaysWhatHappensAndStopsByTheLadderWithStatusZero) {
  Daemon daemon({}, stays);
  const CommandResult result = daemon.stop();
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_NE(result.err.find("netrunner daemon: stopped: asked to stop; killed by SIGTERM (stopped)\n"),
            std::string::npos)
      << result.err;
}

TEST(CommandDaemon, GivesUpWithTheLastStatusAndSaysWhy) {  // N1
  const CommandResult result = run_daemon({"--backoff", "1ms..2ms", "--burst", "3/1h"}, "exit 6");
  EXPECT_EQ(result.exit_status, 6);
  EXPECT_NE(result.err.find("failed: given up after 3 restarts within 1h; the last: exited 6\n"), std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("exited 6; starts again in "), std::string::npos) << result.err;
}

TEST(CommandDaemon, EventsAndFiguresAreThoseOfEachProcess) {
  const TempFolder folder;
  const CommandResult result = run_daemon({"--backoff", "1ms..1ms", "--burst", "2/1h", "--events", folder / "events",
                                           "--stats", folder / "stats"},
                                          "echo hello; exit 6");
  EXPECT_EQ(result.exit_status, 6);
  const std::string events = file_text(folder / "events");
  const auto count = [&](const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = events.find(part); at != std::string::npos; at = events.find(part, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("{\"event\":\"exec\""), 3u) << events;
  EXPECT_EQ(count("{\"event\":\"gone\""), 3u) << events;
  EXPECT_EQ(json_value(file_text(folder / "stats"), "started"), "3") << file_text(folder / "stats");
  const CommandResult refused = run_daemon({"--events", "/no/such/folder/file"}, "echo hello");
  EXPECT_EQ(refused.exit_status, 125);
  EXPECT_NE(refused.err.find("/no/such/folder/file"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.out, "") << "nothing was started";
}

TEST(CommandDaemon, ItsStatusSaysHowItEnded) {
  EXPECT_EQ(run_daemon({"--restart", "never"}, "exit 4").exit_status, 4);
  EXPECT_EQ(run_daemon({"--restart", "never"}, "kill -KILL $$").exit_status, 137);
  EXPECT_EQ(run_daemon({"--restart", "on-failure"}, "exit 0").exit_status, 0);
  EXPECT_EQ(run_daemon({"--burst", "1/1h", "--backoff", "1ms..1ms"}, "exit 0").exit_status, 125);
  EXPECT_EQ(netrunner_command({"daemon", "--", "/no/such/program"}).exit_status, 127);
  const std::vector<std::string> in_vain = {"daemon", "--wait-for", "path:/no/such", "--wait-for-timeout", "1ms",
                                            "true"};
  EXPECT_EQ(netrunner_command(in_vain).exit_status, 124);
}

TEST(CommandDaemon, ItsStatusIsOfWhatCameLast) {
  const TempFolder folder;
  const std::string file = folder / "file";
  write_file(file, "");
  EXPECT_EQ(run_daemon({"--wait-for", "path:" + file, "--wait-for-timeout", "1ms", "--backoff", "1ms..1ms"},
                       "rm " + file + "; exit 3")
                .exit_status,
            124);
  const auto run_once = [&](const std::string& script) {
    write_file(file, "#!/bin/sh\n" + script);
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
    return netrunner_command({"daemon", "--burst", "1/1h", "--backoff", "1ms..1ms", "--", file}).exit_status;
  };
  EXPECT_EQ(run_once("rm $0; exit 3\n"), 127);
  EXPECT_EQ(run_once("exit 3\n"), 3);
}

TEST(CommandDaemon, ASecondTerminationKills) {
  Daemon daemon({"--ladder", "TERM:1h,KILL"}, "trap 'echo asked' TERM; echo ready; while :; do sleep 0.02; done");
  ASSERT_TRUE(eventually([&] { return daemon.line().out() == "ready\n"; }));
  daemon.line().signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return daemon.line().out() == "ready\nasked\n"; }));
  EXPECT_NE(daemon.stop().err.find("killed by SIGKILL"), std::string::npos);
}

TEST(CommandDaemon, TheSignalThatCameIsTheFirstRung) {
  Daemon daemon({"--ready", "line:^ready"}, "trap 'echo int; exit 3' INT; echo ready; while :; do sleep 0.02; done");
  EXPECT_EQ(daemon.stop(SIGINT).out, "ready\nint\n");
}

TEST(CommandDaemon, AStopCommandEndsEachInstance) {
  const TempFolder folder;
  Daemon daemon({"--instances", "2", "--ladder",
                 "exec(echo {i} $NETRUNNER_INSTANCE >'" + (folder / "told") + ".{i}'; kill -USR1 $NETRUNNER_PID):60s"},
                "trap 'exit 0' USR1; trap '' TERM; while :; do sleep 0.02; done");
  EXPECT_TRUE(daemon.says("instance 0: ready"));
  EXPECT_TRUE(daemon.says("instance 1: ready"));
  EXPECT_EQ(daemon.stop().exit_status, 0);
  EXPECT_EQ(file_text(folder / "told.0"), "0 0\n");
  EXPECT_EQ(file_text(folder / "told.1"), "1 1\n");
}

TEST(CommandDaemon, Usr1StartsItAnewAndUsr2ShowsTheState) {
  Daemon daemon({}, stays);
  daemon.line().signal(SIGUSR1);
  const auto state = [&] {
    const std::string before = daemon.line().err();
    daemon.line().signal(SIGUSR2);
    EXPECT_TRUE(eventually([&] {
      const std::string now = daemon.line().err();
      return now.find("{\"supervisor\"", before.size()) != std::string::npos && now.ends_with("\n");
    }));
    return daemon.line().err().substr(before.size());
  };
  EXPECT_TRUE(eventually([&] { return json_value(state(), "starts") == "2"; }));
  EXPECT_TRUE(eventually([&] { return json_value(state(), "state") == "ready"; }));
  EXPECT_EQ(json_value(state(), "restarts"), "1");
  EXPECT_EQ(daemon.stop().exit_status, 0);
}

TEST(CommandDaemon, OtherSignalsReachTheCommand) {
  Daemon daemon({"--ready", "line:^ready"}, "trap 'echo alarm' ALRM; echo ready; while :; do sleep 0.02; done");
  daemon.line().signal(SIGALRM);
  EXPECT_TRUE(eventually([&] { return daemon.line().out() == "ready\nalarm\n"; }));
  EXPECT_EQ(daemon.stop().exit_status, 0);
}

TEST(CommandDaemon, AHangUpReopensTheLogWithoutTouchingTheCommand) {  // N3
  const TempFolder folder;
  Daemon daemon({"--log", folder / "log", "--prefix", "web: ", "--state", folder / "state"},
                "echo pid $$; while :; do echo line; sleep 0.01; done");
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(eventually([&] { return !file_text(folder / "log").empty(); }));
    std::filesystem::rename(folder / "log", folder / ("log." + std::to_string(round)));
    daemon.line().signal(SIGHUP);
  }
  EXPECT_TRUE(eventually([&] { return file_text(folder / "log").starts_with("web: line\n"); }));
  EXPECT_TRUE(file_text(folder / "log.0").starts_with("web: pid "));
  EXPECT_EQ(json_value(file_text(folder / "state"), "starts"), "1");
  EXPECT_EQ(daemon.stop().exit_status, 0);
}

TEST(CommandDaemon, WithoutALogAHangUpStopsIt) {
  Daemon daemon({}, stays);
  EXPECT_NE(daemon.stop(SIGHUP).err.find("killed by SIGHUP"), std::string::npos);
}

TEST(CommandDaemon, RotatesAndKeepsSoManyFiles) {  // N4
  const TempFolder folder;
  const std::vector<std::string> options = {"--restart", "never",    "--log", folder / "log",
                                            "--rotate",  "8K:2",     "--quiet"};
  EXPECT_EQ(run_daemon(options, "seq 1 10000").err, "");
  EXPECT_TRUE(std::filesystem::exists(folder / "log.2"));
  EXPECT_FALSE(std::filesystem::exists(folder / "log.3"));
  EXPECT_TRUE(file_text(folder / "log").ends_with("9999\n10000\n"));
  for (const char* name : {"log", "log.1", "log.2"}) EXPECT_LE(file_text(folder / name).size(), 8192U) << name;
}

TEST(CommandDaemon, InstancesHaveNumbersAndLogsOfTheirOwn) {
  const TempFolder folder;
  const CommandResult result = run_daemon(
      {"--restart", "never", "--instances", "3", "--log", folder / "log.{i}"}, "echo $NETRUNNER_INSTANCE {i}");
  EXPECT_EQ(result.exit_status, 0);
  for (const std::string number : {"0", "1", "2"}) {
    EXPECT_EQ(file_text(folder / ("log." + number)), number + " " + number + "\n");
    EXPECT_NE(result.err.find("instance " + number + ": stopped: exited 0\n"), std::string::npos) << result.err;
  }
}

TEST(CommandDaemon, IsReadyWhenAScriptSaysSo) {
  const TempFolder folder;
  CommandLine line(daemon_argv({"--ready", "exec:test -e " + folder / "up"}, stays));
  EXPECT_TRUE(remains([&] { return line.err().empty(); }));
  write_file(folder / "up", "");
  EXPECT_TRUE(eventually([&] { return line.err().find("ready, pid ") != std::string::npos; }));
  line.signal(SIGTERM);
  EXPECT_EQ(line.wait().exit_status, 0);
}

TEST(CommandDaemon, NothingIsLeftWhenNetrunnerIsKilled) {
  Daemon daemon({}, "setsid sleep $((4800 + 13)) & exec sleep 4814");
  EXPECT_TRUE(eventually([&] { return !processes_with_arguments("sleep 4813").empty(); }));
  EXPECT_EQ(daemon.stop(SIGKILL).signal, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes_with_arguments("sleep 481").empty(); }));
}

TEST(CommandDaemon, TheStateFileIsWholeAtEveryMoment) {  // N8
  const TempFolder folder;
  const std::string path = folder / "state";
  Daemon daemon({"--state", path, "--backoff", "1ms..1ms", "--burst", "0"}, "exit 0");
  std::size_t looks = 0;
  EXPECT_TRUE(remains(
      [&] {
        const std::string text = file_text(path);
        ++looks;
        return text.starts_with("{\"supervisor\":") && text.ends_with("}\n");
      },
      1s));
  EXPECT_GT(looks, 10U);
  EXPECT_EQ(daemon.stop().exit_status, 0);
  EXPECT_EQ(json_value(file_text(path), "state"), "stopped");
}

TEST(CommandDaemon, IsStoppedByItsStateFile) {
  const TempFolder folder;
  Daemon daemon({"--state", folder / "state"}, stays);
  const CommandResult stop = netrunner_command({"daemon", "--stop", folder / "state"});
  EXPECT_EQ(stop.exit_status, 0);
  EXPECT_EQ(stop.err, "");
  EXPECT_EQ(daemon.line().wait().exit_status, 0);
  const CommandResult again = netrunner_command({"daemon", "--stop", folder / "state"});
  EXPECT_EQ(again.exit_status, 0);
  EXPECT_NE(again.err.find(" is gone ("), std::string::npos) << again.err;
}

/// The state file with one value of its supervisor replaced.
void edit(const std::string& path, const std::string& name, const std::string& value) {
  std::string text = file_text(path);
  const std::size_t at = text.find("\"" + name + "\":") + name.size() + 3;
  const std::size_t end = text.find_first_of(",}", at);
  write_file(path, text.replace(at, end - at, value));
}

TEST(CommandDaemon, AProcessThatHasItsNumberNowIsNotTouched) {  // N7
  const TempFolder folder;
  const std::string path = folder / "state";
  Daemon daemon({"--state", path}, stays);
  const std::string right = file_text(path);
  const std::string ours = process(daemon.line().pid())->start_time;
  std::optional<Bystander> started;
  // The clock of start times ticks a hundred times a second.
  ASSERT_TRUE(eventually([&] {
    started.reset();
    started.emplace(std::vector<std::string>{"sleep", "1000"});
    return process(started->pid())->start_time != ours;
  }));
  const Bystander& innocent = *started;
  const auto refused = [&](const std::string& name, const std::string& value) {
    write_file(path, right);
    edit(path, name, value);
    const CommandResult stop = netrunner_command({"daemon", "--stop", path});
    EXPECT_EQ(stop.exit_status, 0);
    return stop.err.find("is gone") != std::string::npos && stop.err.find("nothing was signalled") != std::string::npos;
  };
  EXPECT_TRUE(refused("pid", std::to_string(innocent.pid()))) << "another's start time";
  EXPECT_TRUE(refused("start_time", "1")) << "the right number, another start time";
  EXPECT_TRUE(refused("boot_id", "\"00000000-0000-0000-0000-000000000000\"")) << "another boot";
  EXPECT_TRUE(is_running(innocent.pid()));
  EXPECT_TRUE(is_running(daemon.line().pid()));
  write_file(path, "{}");
  EXPECT_EQ(netrunner_command({"daemon", "--stop", path}).exit_status, 125);
  EXPECT_EQ(daemon.stop().exit_status, 0);
}

TEST(CommandDaemon, WhatIsWrongIsSaidByOption) {
  const auto complaint = [](std::vector<std::string> options) {
    options.insert(options.begin(), "daemon");
    options.emplace_back("true");
    const CommandResult result = netrunner_command(std::move(options));
    EXPECT_EQ(result.exit_status, 125);
    return result.err;
  };
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"--restart", "sometimes"}, "--restart: 'sometimes' is none of always, on-failure, never."},
      {{"--backoff", "1s"}, "--backoff: '1s' is no FIRST..MAX"},
      {{"--backoff", "2s..1s"}, "--backoff A..B (B must not be below A)"},
      {{"--burst", "many"}, "--burst: 'many' is no N/D"},
      {{"--ready", "soon"}, "--ready: 'soon' is none of started, line:REGEX"},
      {{"--ready", "line:("}, "line pattern \"(\""},
      {{"--ready", "port:0"}, "--ready: '0' is not a whole number from 1 to 65535"},
      {{"--wait-for", "/tmp"}, "--wait-for: '/tmp' is neither path:FILE nor port:NUMBER"},
      {{"--log", "x", "--rotate", "1G"}, "--rotate: '1G' is no SIZE:COUNT"},
      {{"--rotate", "1M:1"}, "name it by --log FILE"},
      {{"--log", "/no/such/folder/log"}, "open log file /no/such/folder/log: No such file or directory"},
      {{"--stragglers", "leave"}, "--stragglers: no such option"},  // Nothing is left: there is nothing to choose.
  };
  for (const auto& [options, words] : cases) {
    const std::string said = complaint(options);
    EXPECT_NE(said.find(words), std::string::npos) << said;
  }
}

/// A cgroup with the name that logind gives to a session, and a process in it.
TEST(CommandDaemon, ALoginSessionThatWillTakeItAlongIsNamed) {  // C13
  const std::string own = own_cgroup_path();
  const std::string scope = own + "/session-4711.scope";
  std::error_code failed;
  if (own.empty() || !std::filesystem::create_directory(scope, failed)) GTEST_SKIP() << "no cgroup can be made here";
  const CommandResult result =
      netrunner_script("echo $$ > " + scope + "/cgroup.procs && exec $NR daemon --restart never true");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_NE(result.err.find("it ends with the login session (session-4711.scope)"), std::string::npos) << result.err;
  EXPECT_TRUE(eventually([&] { return std::filesystem::remove(scope, failed); }));
  EXPECT_EQ(run_daemon({"--restart", "never"}, "exit 0").err.find("login session"), std::string::npos);
}

/// A `netrunner` that is init of a PID namespace of its own: unshare(1) is its parent.
class AsInit {
 public:
  explicit AsInit(std::vector<std::string> arguments) : line_([&] {
    std::vector<std::string> argv = {"unshare", "-pf", "--mount-proc", command_path()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }()) {}
  [[nodiscard]] CommandLine& line() { return line_; }
  /// -1: not there.
  [[nodiscard]] pid_t init() const {
    const auto children = children_of(line_.pid());
    return children.empty() || children.front().name != "netrunner" ? -1 : children.front().pid;
  }
  void signal(int number) const { ::kill(init(), number); }

 private:
  CommandLine line_;
};

bool may_unshare() { return ::geteuid() == 0 && netrunner_script("unshare -pf --mount-proc true").exit_status == 0; }

TEST(CommandAsInit, ATerminationRunsTheLadderAndItsStatusIsTheCommands) {  // N9
  if (!may_unshare()) GTEST_SKIP() << "unshare(1) -p is not permitted";
  AsInit run({"run", "--", "sh", "-c", "(sleep 1 &) ; echo ready; exec sleep 100"});
  EXPECT_TRUE(eventually([&] { return run.line().out() == "ready\n"; }));
  const Stopwatch watch;
  run.signal(SIGTERM);
  EXPECT_EQ(run.line().wait().exit_status, 143);
  EXPECT_LT(watch.elapsed(), patience(5s)) << "not the ladder's last rung";

  AsInit daemon({"daemon", "--", "sleep", "100"});
  EXPECT_TRUE(eventually([&] { return daemon.line().err().find("ready, pid ") != std::string::npos; }));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.line().wait().exit_status, 0);
}

TEST(CommandAsInit, NoStrangerIsLeftAsAZombie) {  // N9
  if (!may_unshare()) GTEST_SKIP() << "unshare(1) -p is not permitted";
  const auto orphans = [](std::size_t count) {
    return "i=0; while [ $i -lt " + std::to_string(count) + " ]; do (sleep 0.01 &); i=$((i+1)); done";
  };
  AsInit daemon({"daemon", "--", "sh", "-c", orphans(100) + "; exec sleep 100"});
  EXPECT_TRUE(eventually([&] { return daemon.line().err().find("ready, pid ") != std::string::npos; }));
  const pid_t init = daemon.init();
  ASSERT_GT(init, 0);
  // Strangers: processes that somebody puts into the container, whose orphans fall to init itself.
  Bystander stranger({"nsenter", "-p", "-t", std::to_string(init), "sh", "-c", orphans(scaled(1000, 50))});
  EXPECT_EQ(stranger.wait(), 0);
  EXPECT_TRUE(eventually([&] { return zombies_of(init).empty() && children_of(init).size() <= 2; }))
      << to_string(children_of(init));
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.line().wait().exit_status, 0);
}

}  // namespace
}  // namespace tests
