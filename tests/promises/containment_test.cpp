/// Whatever a command started ends with it, wherever it went: per containment. Promise 1; K2, K15, K17, C2.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/command_line.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/descriptor_limit.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/write_lease.hpp"

namespace tests {
namespace {

const nr::KillLadder short_ladder = {{SIGTERM, nr::Target::group, 100ms}};
constexpr nr::Nanoseconds gone_max = 2s;

class Containment : public testing::TestWithParam<nr::Containment> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_CONTAINMENT(GetParam());
    host_.emplace(options_of(GetParam()));
  }
  [[nodiscard]] EngineFixture& host() { return *host_; }
  [[nodiscard]] static std::vector<std::vector<std::string>> escapees() {
    return {{"stay", "deaf"}, {"stay"}, {"stay", "deaf", "unmarked"}};
  }
  [[nodiscard]] static nr::Command escapee(const std::vector<std::string>& words) {
    return child("escapee").args(words).ladder(short_ladder);
  }
  /// Exits 0 at the end of its input and leaves a deaf escapee.
  [[nodiscard]] static nr::Command parting() {
    return nr::Command("/bin/sh", "-c", "\"$0\" leave deaf; read line; exit 0", child_path("escapee"))
        .in(nr::Stdio::pipe())
        .ladder(short_ladder);
  }
  /// Its deadline comes within the time that a start takes, each time another moment in no order. Failed: its start.
  [[nodiscard]] nr::Result<void> stopped_as_it_starts(nr::Command command, std::size_t round) {
    const std::chrono::microseconds moment(100 + round * 7919 % 900);
    auto started = nr::blocking::get(host()->spawn(std::move(command).deadline(moment)), verb_deadline());
    if (!started) return std::unexpected(std::move(started).error());
    (void)Running(*std::move(started)).wait();
    return {};
  }

 private:
  std::optional<EngineFixture> host_;
};

testing::AssertionResult gone(pid_t pid) {
  return eventually([pid] { return !is_running(pid); }, gone_max);
}

TEST_P(Containment, IsTheOneThatWasAskedForAndSaysSo) {
  EXPECT_EQ(host().shard_stats().containment, GetParam());
  EXPECT_EQ(host().shard_stats().containment_note, "");
  EXPECT_EQ(host().run(nr::Command("true")).ended.containment, GetParam());
}

TEST_P(Containment, AStopReachesThoseThatLeft) {
  for (const auto& words : escapees()) {
    WithEscapee both = with_escapee(host(), escapee(words));
    both.command.process().stop();
    const nr::Ended ended = both.command.wait();
    EXPECT_EQ(ended.reason, nr::EndReason::stopped);
    EXPECT_TRUE(ended.tree_empty) << words.back();
    EXPECT_FALSE(is_running(both.escapee)) << "its end was told before it was one: " << words.back();
  }
}

TEST_P(Containment, OneThatTakesLongToDieIsAwaited) {
  WithEscapee both = with_escapee(host(), escapee({"stay", "deaf", "big"}));
  both.command.process().stop();
  const nr::Ended ended = both.command.wait();
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_FALSE(is_running(both.escapee)) << "its memory was still on the way back to the kernel";
}

TEST_P(Containment, ADeadlineReachesThoseThatLeft) {
  for (const auto& words : escapees()) {
    WithEscapee both = with_escapee(host(), escapee(words).deadline(patience(2s)));
    const nr::Ended ended = both.command.wait();
    EXPECT_EQ(ended.reason, nr::EndReason::deadline);
    EXPECT_TRUE(ended.tree_empty);
    EXPECT_FALSE(is_running(both.escapee)) << words.back();
  }
}

TEST_P(Containment, AnOwnerThatIsGoneTakesThemAll) {
  for (const auto& words : escapees()) {
    pid_t escaped = -1;
    {
      const WithEscapee both = with_escapee(host(), escapee(words));
      escaped = both.escapee;
    }
    EXPECT_TRUE(gone(escaped)) << words.back();
  }
}

TEST_P(Containment, AnEngineThatClosesTakesThemAll) {
  WithEscapee marked = with_escapee(host(), escapee({"stay", "deaf"}));
  WithEscapee unmarked = with_escapee(host(), escapee({"stay", "deaf", "unmarked"}));
  (void)host()->close();
  EXPECT_TRUE(gone(marked.escapee));
  EXPECT_TRUE(gone(unmarked.escapee));
}

TEST_P(Containment, AHostThatIsKilledTakesThemAll) {  // K2, K12
  for (const std::string hearing : {"deaf", "unmarked"}) {
    HostProgram doomed("contained_host", {std::string(nr::name_of(GetParam())), "3", "stay", hearing});
    ASSERT_TRUE(doomed.reports("ready"));
    const std::vector<pid_t> escaped = doomed.reported("escapee");
    EXPECT_EQ(escaped.size(), 3U);
    doomed.kill();
    for (const pid_t pid : escaped) EXPECT_TRUE(gone(pid)) << hearing;
  }
}

TEST_P(Containment, AShepherdThatIsKilledTakesThemAll) {  // K2
  for (const auto& words : escapees()) {
    WithEscapee both = with_escapee(host(), escapee(words));
    kill(host().shard_stats().shepherd_pid, SIGKILL);
    EXPECT_EQ(both.command.wait().reason, nr::EndReason::shepherd_lost);
    EXPECT_TRUE(gone(both.escapee)) << words.back();
    EXPECT_TRUE(eventually([&] { return host()->run(nr::Command("true")).has_value(); }));
  }
}

TEST_P(Containment, AStageOfAPipelineTakesThoseThatLeft) {  // Its group is another stage's too.
  const nr::PipelineCompleted completed = host().run(nr::Pipeline(escapee({"leave", "deaf"}), nr::Command("cat")));
  EXPECT_GT(std::atoi(completed.out.head.c_str()), 1) << completed.out.head;
  EXPECT_EQ(completed.ended.stages.front().stragglers, 1U);
  EXPECT_TRUE(completed.ended.stages.front().tree_empty);
}

TEST_P(Containment, ARestlessForkChainDoesNotOutrunItsShepherdsDeath) {  // A session of its own for each.
  Running chain = host().spawn(child("hopper", "restless").ladder(short_ladder));
  ASSERT_EQ(chain.read_exactly(8), "hopping\n");
  kill(host().shard_stats().shepherd_pid, SIGKILL);
  EXPECT_EQ(chain.wait().reason, nr::EndReason::shepherd_lost);
  EXPECT_EQ(chain.read_all(), "") << "who holds the pipe lives";
}

TEST_P(Containment, StragglersAreCountedAndStopped) {
  WithEscapee both = with_escapee(host(), parting());
  const nr::Ended ended = both.command.wait();
  EXPECT_EQ(exit_code(ended), 0);
  EXPECT_EQ(ended.reason, nr::EndReason::exited);
  EXPECT_EQ(ended.stragglers, 1U);
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_FALSE(is_running(both.escapee));
}

TEST_P(Containment, StragglersThatMayStayAreTold) {
  WithEscapee both = with_escapee(host(), parting().stragglers(nr::Stragglers::leave));
  const nr::Ended ended = both.command.wait();
  EXPECT_EQ(ended.stragglers, 1U);
  EXPECT_FALSE(ended.tree_empty);
  EXPECT_TRUE(is_running(both.escapee));
  (void)host()->close();
  EXPECT_TRUE(gone(both.escapee)) << "it outlived the engine";
}

TEST_P(Containment, AShepherdThatIsStoppedOrKilledWhileItEndsKeepsNobodyBeyondTheEngine) {
  WithEscapee both = with_escapee(host(), parting().stragglers(nr::Stragglers::leave));
  EXPECT_EQ(both.command.wait().stragglers, 1U);
  const pid_t shepherd = host().shard_stats().shepherd_pid;
  kill(shepherd, SIGSTOP);
  std::jthread killer;
  if (GetParam() != nr::Containment::cgroup) {  // Before it is looked at: not by the engine.
    killer = std::jthread([shepherd] {
      std::this_thread::sleep_for(300ms);
      kill(shepherd, SIGKILL);
    });
  }
  (void)host()->close();
  EXPECT_TRUE(gone(both.escapee));
}

// Of those that nobody may look for at this moment as well: the host has no descriptor for it.
TEST_P(Containment, AHostWithoutADescriptorForgetsNobodyOfALostShepherd) {
  WithEscapee both = with_escapee(host(), escapee({"stay", "deaf"}));
  const pid_t shepherd = host().shard_stats().shepherd_pid;
  {
    const DescriptorLimit none(getpid(), 4);
    kill(shepherd, SIGKILL);
    std::this_thread::sleep_for(300ms);
  }
  EXPECT_EQ(both.command.wait().reason, nr::EndReason::shepherd_lost);
  EXPECT_TRUE(gone(both.escapee));
}

TEST_P(Containment, ACommandThatLeavesNobodyHasAnEmptyTree) {
  const nr::Completed completed = host().run(sh("sleep 0.01 & wait"));
  EXPECT_EQ(completed.ended.stragglers, 0U);
  EXPECT_TRUE(completed.ended.tree_empty);
}

TEST_P(Containment, AStoppedTreeCanBeKilled) {
  WithEscapee both = with_escapee(host(), escapee({"stay"}));
  kill(both.escapee, SIGSTOP);
  kill(both.command.pid(), SIGSTOP);
  ASSERT_TRUE(eventually([&] { return process_state(both.escapee) == 'T'; }));
  ASSERT_TRUE(eventually([&] { return process_state(both.command.pid()) == 'T'; }));
  both.command.process().stop();
  EXPECT_TRUE(both.command.wait().tree_empty);
  EXPECT_FALSE(is_running(both.escapee));
}

TEST_P(Containment, ACommandInTheMiddleOfExecCanBeKilled) {
  WriteLease lease;
  SKIP_WITHOUT_LEASE(lease);
  const Stopwatch watch;
  const auto started = nr::blocking::get(host()->spawn(nr::Command(lease.program()).deadline(300ms)), verb_deadline());
  EXPECT_FALSE(started);
  EXPECT_LT(watch.elapsed(), patience(5s));
  EXPECT_TRUE(host().run(nr::Command("true")).success());
  lease.release();
}

bool anyone_writes_to(const std::string& path) {
  std::error_code gone;
  return std::ranges::any_of(processes(), [&](const ProcessEntry& entry) {
    return std::filesystem::read_symlink("/proc/" + std::to_string(entry.pid) + "/fd/1", gone) == path;
  });
}

TEST_P(Containment, AStopInTheMiddleOfAStartLeavesNobody) {
  const TempFolder folder;
  const std::string path = folder.path() + "/pids";
  const nr::Command command = escapee({"stay"})
                                  .out(nr::Stdio::file(path, nr::Stdio::FileMode::append))
                                  .ladder({{SIGTERM, nr::Target::leader, 60s}});
  for (std::size_t n = 0; n < scaled(3000, 300); ++n) (void)stopped_as_it_starts(command, n);
  EXPECT_TRUE(eventually([&] { return !anyone_writes_to(path); }, gone_max));
}

// A shepherd without a free descriptor can't ask who is left: that is no answer.
TEST_P(Containment, WhoCantBeLookedForIsNotTakenForGone) {
  WithEscapee both = with_escapee(host(), parting());
  {
    const DescriptorLimit none(host().shard_stats().shepherd_pid, 4);
    both.command.write("\n");
    EXPECT_EQ(exit_code(both.command.exited()), 0);
    std::this_thread::sleep_for(300ms);  // Longer than what can't be told is waited for.
  }
  EXPECT_TRUE(both.command.wait().tree_empty);
  EXPECT_FALSE(is_running(both.escapee));
}

// The signal that stops it means nothing to it: whatever ran has run, and isn't told as never started.
TEST_P(Containment, ACommandThatRanToItsEndIsNoFailedStart) {
  const TempFolder folder;
  const std::string path = folder.path() + "/ran";
  const nr::Command command = nr::Command("/bin/sh", "-c", "echo >\"$0\"", path)
                                  .out(nr::Stdio::null())
                                  .ladder({{SIGWINCH, nr::Target::group, 60s}});
  for (std::size_t n = 0; n < scaled(3000, 300); ++n) {
    const nr::Result<void> started = stopped_as_it_starts(command, n);
    ASSERT_TRUE(started || !std::filesystem::exists(path)) << started.error().message();
    std::filesystem::remove(path);
  }
}

// Where it hangs before its exec, and fails there.
TEST_P(Containment, AStopCommandLeavesNobodyBesideAStartThatFails) {
  const TempFolder folder;
  const std::string fifo = folder.path() + "/fifo", mark = folder.path() + "/escaped";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const std::string leave = "setsid sh -c 'exec sleep 1000 >>\"$0\"' " + mark + " & sleep 0.2; kill -9 $NETRUNNER_PID";
  const auto started = nr::blocking::get(
      host()->spawn(nr::Command("true").in(nr::Stdio::file(fifo)).deadline(200ms).ladder(
          {nr::Rung::run({"/bin/sh", "-c", leave}, 1s)})),
      verb_deadline());
  EXPECT_FALSE(started);
  EXPECT_TRUE(eventually([&] { return !anyone_writes_to(mark); }, gone_max));
}

TEST_P(Containment, AForkChainDoesNotOutrunIt) {  // K15
  for (const std::string session : {"", "setsid", "restless"}) {
    Running chain = host().spawn(child("hopper", session).ladder(short_ladder));
    ASSERT_EQ(chain.read_exactly(8), "hopping\n");
    const Stopwatch watch;
    chain.process().stop();
    const nr::Ended ended = chain.wait();
    EXPECT_TRUE(ended.tree_empty) << session;
    EXPECT_EQ(chain.read_all(), "") << "who holds the pipe lives";
    EXPECT_LT(watch.elapsed(), patience(5s));
  }
}

TEST_P(Containment, ADaemonOfAShellDoesNotOutliveIt) {  // K15
  const nr::Command command =
      sh("(setsid sh -c 'setsid sleep 300 & sleep 300' &) ; echo ready; sleep 300").ladder(short_ladder);
  for (std::size_t round = 0; round < scaled(200, 3); ++round) {
    Running shell = host().spawn(command);
    ASSERT_EQ(shell.read_exactly(6), "ready\n");
    shell.process().stop();
    EXPECT_TRUE(shell.wait().tree_empty);
    EXPECT_EQ(shell.read_all(), "");
  }
}

TEST_P(Containment, AnotherUsersSessionDoesNotOutliveIt) {  // K17
  if (geteuid() != 0) GTEST_SKIP() << "su(1) asks for a password";
  const nr::Command command =
      nr::Command("su", "nobody", "-s", "/bin/sh", "-c", "setsid sleep 300 & echo ready; sleep 300");
  Running session = host().spawn(command.ladder(short_ladder));
  ASSERT_EQ(session.read_exactly(6), "ready\n");
  session.process().stop();
  EXPECT_TRUE(session.wait().tree_empty);
  EXPECT_EQ(session.read_all(), "");
}

TEST_P(Containment, AParentThatNeverReapsIsNoHindrance) {  // C2
  Running parent = host().spawn(
      sh("sh -c 'sleep 0.02 & echo ready; kill -STOP $$' & sleep 300").ladder(short_ladder));
  ASSERT_EQ(parent.read_exactly(6), "ready\n");
  ASSERT_TRUE(eventually([] {
    for (const ProcessEntry& entry : processes()) {
      if (entry.state == 'Z' && entry.name == "sleep" && process_state(entry.parent) == 'T') return true;
    }
    return false;
  }));
  parent.process().stop();
  EXPECT_TRUE(parent.wait().tree_empty);
  EXPECT_EQ(parent.read_all(), "");
}

TEST_P(Containment, ADeadOrphanIsNobodyThatIsLeft) {
  (void)host().run(sh("setsid sleep 1000 & exit 0").drain({.idle = 50ms, .max = 50ms}));  // It is hunted.
  const nr::Command leaves_a_dead_one = sh("true & exec sleep 0.03").stragglers(nr::Stragglers::leave);
  for (int n = 0; n < 5; ++n) EXPECT_TRUE(host().run(leaves_a_dead_one).ended.tree_empty);
}

INSTANTIATE_TEST_SUITE_P(Levels, Containment,
                         testing::Values(nr::Containment::cgroup, nr::Containment::subreaper,
                                         nr::Containment::pid_namespace),
                         [](const auto& tested) { return test_name_of(tested.param); });

class Subreaper : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_CONTAINMENT(nr::Containment::subreaper); }
};

TEST_F(Subreaper, ALimitThatTheCommandAsksForIsItsOwn) {  // Its mark is in the environment alone then.
  EngineFixture host{options_of(nr::Containment::subreaper)};
  const nr::Command shows = sh("awk '/file locks/ {print $4, $5}' /proc/self/limits; setsid sleep 300 & exit 0");
  const nr::Completed completed = host.run(shows.resource_limit({RLIMIT_LOCKS, 7, 9}));
  EXPECT_EQ(completed.out.head, "7 9\n");
  EXPECT_EQ(completed.ended.stragglers, 1U);
  EXPECT_TRUE(completed.ended.tree_empty);
}

TEST_F(Subreaper, AnEngineBelowAnotherLeavesNothingWhenItIsKilled) {
  EngineFixture host{options_of(nr::Containment::subreaper)};
  const nr::Command inner =
      nr::Command(command_path(), "run", "--containment", "subreaper", "--", child_path("escapee"), "stay", "deaf");
  WithEscapee both = with_escapee(host, inner.ladder(short_ladder));
  const auto stop_and_kill = [](pid_t pid) { return kill(pid, SIGSTOP) == 0 && kill(pid, SIGKILL) == 0; };
  kill(both.command.pid(), SIGSTOP);
  for (const ProcessEntry& shepherd : children_of(both.command.pid())) EXPECT_TRUE(stop_and_kill(shepherd.pid));
  kill(both.command.pid(), SIGKILL);
  const nr::Ended ended = both.command.wait();
  EXPECT_GE(ended.stragglers, 1U);
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_FALSE(is_running(both.escapee));
}

TEST(JoinedGroup, OutlivesTheCommandThatMadeIt) {  // Its leader is dead, others of it live when the next one joins.
  for (const nr::Containment level : {nr::Containment::process_group, nr::Containment::subreaper}) {
    EngineFixture host{options_of(level)};
    Running first = host.spawn(sh("sleep 1000 2>&- & exit 0").drain({.idle = 200ms, .max = 200ms}));
    (void)first.exited();
    Running second = host.spawn(sh("sleep 1; exit 7").grouping(nr::Grouping::join, first.pid()));
    EXPECT_EQ(first.wait().tree_empty, level == nr::Containment::subreaper) << "what can't be told is not told";
    EXPECT_EQ(exit_code(second.wait()), 7) << nr::name_of(level);
  }
}

TEST(PidNamespace, TheInsideIsConsistent) {
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::pid_namespace);
  EngineFixture host{options_of(nr::Containment::pid_namespace)};
  EXPECT_EQ(host.run(sh("[ $$ = $(sh -c 'echo $PPID') ] && [ -d /proc/$$ ] && cat /proc/$$/comm")).out.head, "sh\n");
  const nr::Completed init = host.run(sh("tr '\\0' ' ' < /proc/1/cmdline"));
  EXPECT_NE(init.out.head.find("netrunner-shepherd"), std::string::npos) << init.out.head;
  Running command = host.spawn(sh("echo $$; exec sleep 1000").ladder(short_ladder));
  const std::string inside = command.read_text();
  EXPECT_NE(std::atoi(inside.c_str()), command.pid());
  EXPECT_EQ(outside_pid(std::atoi(inside.c_str()), command.pid()), command.pid());
}

TEST(PidNamespace, ItsInitReapsWhatFallsToIt) {
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::pid_namespace);
  EngineFixture host{options_of(nr::Containment::pid_namespace)};
  const nr::Completed completed = host.run(
      sh("i=0; while [ $i -lt 20 ]; do (sh -c 'sleep 0.01' &); i=$((i+1)); done; sleep 0.5; "
         "cat /proc/[0-9]*/stat | grep -c ') Z '"));
  EXPECT_EQ(completed.out.head, "0\n");
}

TEST(ContainmentOption, IsTakenByTheCommandAndReported) {
  for (const auto& [option, name] : {std::pair{"process-group", "process_group"}, {"subreaper", "subreaper"}}) {
    const CommandResult result = netrunner_command({"run", "--json", "--containment", option, "--", "true"});
    EXPECT_EQ(result.exit_status, 0) << result.err;
    EXPECT_EQ(json_value(result.err, "containment"), name);
  }
  const CommandResult refused = netrunner_command({"run", "--containment", "jail", "--", "true"});
  EXPECT_EQ(refused.exit_status, 125);
  EXPECT_NE(refused.err.find("jail"), std::string::npos);
}

}  // namespace
}  // namespace tests
