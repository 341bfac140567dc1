/// How commands end: by themselves, by signals and ladders, with descendants, and when host or shepherd go.

#include <sys/prctl.h>

#include "tests/unit/shepherd/host_fixture.hpp"

namespace netrunner::testing {
namespace {

using wire::SettlePolicy;
using wire::WireTarget;

class ShepherdEnd : public ::testing::Test {
 protected:
  // What a dying shepherd leaves behind would fall to us.
  static void SetUpTestSuite() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
  static void TearDownTestSuite() { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }
  std::string children() {
    const auto pid = std::to_string(host.pid());
    return read_file("/proc/" + pid + "/task/" + pid + "/children");
  }
  Host host;
};

constexpr const char* deaf = "trap '' TERM; echo ready; while :; do sleep 0.05; done";

TEST_F(ShepherdEnd, ASignalReachesItsTargetAndIsAnswered) {
  const auto slot = host.shell_with_output("sleep 100 & echo $!; wait");
  const pid_t other = std::stoi(host.line(slot));
  host.signal(slot, SIGTERM, WireTarget::leader, 42);
  ASSERT_TRUE(host.ended(slot));
  EXPECT_EQ(host.told[slot].exited->end_status, SIGTERM);
  ASSERT_EQ(host.told[slot].signals.size(), 1U);
  EXPECT_EQ(host.told[slot].signals[0].request, 42U);
  EXPECT_EQ(host.told[slot].signals[0].sys_errno, 0);
  EXPECT_FALSE(is_gone(other)) << "the leader alone was meant";
  host.signal(slot, SIGTERM, WireTarget::group, 43);
  EXPECT_TRUE(eventually([&] { host.rest(1ms); return is_gone(other); }));
  host.settle(slot, SettlePolicy::stop);
  ASSERT_TRUE(host.settled(slot));
  host.signal(slot, SIGTERM, WireTarget::leader, 44);
  EXPECT_TRUE(host.wait_for([&] { return host.told[slot].signals.size() == 3; }));
  EXPECT_EQ(host.told[slot].signals[2].sys_errno, ESRCH);
}

TEST_F(ShepherdEnd, StragglersAreCountedAndKilled) {
  const auto slot = host.shell_with_output("sleep 100 & sleep 100 & sh -c 'sleep 100 & echo; wait' & sleep 0.3");
  ASSERT_TRUE(host.ended(slot));
  const Told& told = host.told[slot];
  EXPECT_EQ(told.exited->alone, 0U);
  EXPECT_EQ(told.exited->stragglers, 4U);
  EXPECT_NE(children(), "");
  host.settle(slot, SettlePolicy::stop);
  ASSERT_TRUE(host.settled(slot));
  EXPECT_EQ(told.settled->stragglers, 4U);
  EXPECT_EQ(told.settled->tree_empty, 1U);
  EXPECT_GE(told.settled->gone_ns, told.exited->exited_ns);
  EXPECT_EQ(children(), "");
}

TEST_F(ShepherdEnd, StragglersMayBeLeft) {
  const auto slot = host.shell_with_output("sleep 100 >/dev/null & echo $!");
  const pid_t left = std::stoi(host.line(slot));
  ASSERT_TRUE(host.ended(slot));
  host.settle(slot, SettlePolicy::leave);
  ASSERT_TRUE(host.settled(slot));
  EXPECT_EQ(host.told[slot].settled->tree_empty, 0U);
  EXPECT_FALSE(is_gone(left));
  ::kill(left, SIGKILL);
  EXPECT_TRUE(eventually([&] { return is_gone(left); }, 300ms)) << "an orphan's zombie stays";
}

// K12, R3: orphans are reaped soon, while commands come and go.
TEST_F(ShepherdEnd, NoZombieOfAnOrphanStays) {
  std::vector<std::uint32_t> slots;
  for (std::size_t i = 0; i < tests::scaled(500, 5); ++i) {
    slots.push_back(host.shell("setsid sh -c 'sleep 0.1 & sleep 0.2 & :' & exec sleep 0.3"));
  }
  for (const auto slot : slots) ASSERT_TRUE(host.ended(slot));
  EXPECT_TRUE(eventually([&] { return children().empty(); }, 1s)) << children();
}

TEST_F(ShepherdEnd, TheLadderGoesOnToSigkill) {
  const auto slot = host.shell_with_output(deaf);
  EXPECT_EQ(host.line(slot), "ready");
  const auto before = Clock::now();
  host.stop(slot, {rung(SIGTERM, WireTarget::group, 200ms), rung(SIGKILL, WireTarget::everything, 0ms)});
  ASSERT_TRUE(host.ended(slot));
  EXPECT_GE(ms_since(before), 195);
  EXPECT_LT(ms_since(before), 1500 * tests::slowness());
  const Told& told = host.told[slot];
  EXPECT_EQ(told.exited->end_status, SIGKILL);
  ASSERT_EQ(told.signals.size(), 2U);
  EXPECT_EQ(told.signals[0].signal, SIGTERM);
  EXPECT_EQ(told.signals[0].request, 0U);
  EXPECT_EQ(told.signals[1].signal, SIGKILL);
  EXPECT_GE(told.signals[1].at_ns - told.signals[0].at_ns, 195'000'000);
  if (told.exited->alone == 0) host.settle(slot, SettlePolicy::stop), host.settled(slot);
}

TEST_F(ShepherdEnd, ACommandThatNeedsItsGraceGetsIt) {
  const auto slot = host.shell_with_output("trap 'sleep 0.3; exit 7' TERM; echo ready; sleep 100 & wait");
  EXPECT_EQ(host.line(slot), "ready");
  host.stop(slot, {rung(SIGTERM, WireTarget::leader, 5s)});
  ASSERT_TRUE(host.ended(slot));
  EXPECT_EQ(host.told[slot].exited->end_code, CLD_EXITED);
  EXPECT_EQ(host.told[slot].exited->end_status, 7);
}

TEST_F(ShepherdEnd, ASecondStopMayOnlyShorten) {
  const auto slot = host.shell_with_output(deaf);
  EXPECT_EQ(host.line(slot), "ready");
  const auto before = Clock::now();
  host.stop(slot, {rung(SIGTERM, WireTarget::group, 600ms)});
  host.stop(slot, {rung(SIGHUP, WireTarget::group, 60s)});
  host.rest(50ms);
  EXPECT_FALSE(host.told[slot].exited) << "the longer ladder sent SIGHUP";
  host.stop(slot, {rung(SIGTERM, WireTarget::group, 100ms)});
  ASSERT_TRUE(host.ended(slot));
  EXPECT_LT(ms_since(before), 500 * tests::slowness());
  EXPECT_EQ(host.told[slot].exited->end_status, SIGKILL);
}

TEST_F(ShepherdEnd, AStoppedCommandHearsSigterm) {
  const auto slot = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
  ::kill(host.pid_of(slot), SIGSTOP);
  host.stop(slot, {rung(SIGTERM, WireTarget::group, 10s)});
  ASSERT_TRUE(host.ended(slot, 2s));
  EXPECT_EQ(host.told[slot].exited->end_status, SIGTERM);
}

TEST_F(ShepherdEnd, SignalZeroAndKillOfItsGroupHitTheCommandAlone) {
  const auto other = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
  const auto slot = host.shell("kill -KILL 0");
  ASSERT_TRUE(host.ended(slot));
  EXPECT_EQ(host.told[slot].exited->end_status, SIGKILL);
  host.channel().post(wire::MessageType::ping, wire::PingFixed{5});
  EXPECT_TRUE(host.wait_for([&] { return host.pongs.size() == 1; }));
  EXPECT_FALSE(is_gone(host.pid_of(other)));
}

TEST_F(ShepherdEnd, AJoinedCommandIsNotKilledWithItsOwnGroup) {
  const auto first = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
  const pid_t group = host.pid_of(first);
  auto request = Host::request("/bin/sleep");
  request.flags |= wire::join_group;
  request.join_group = group;
  const auto second = host.spawn(request, {"sleep", "100"});
  EXPECT_EQ(::getpgid(host.pid_of(second)), group);
  host.signal(second, SIGKILL, WireTarget::group);
  ASSERT_TRUE(host.ended(second));
  EXPECT_EQ(host.told[second].exited->alone, 1U);
  EXPECT_FALSE(is_gone(group));
}

TEST_F(ShepherdEnd, LosingTheHostRunsEveryLadderAndLeavesNothing) {
  const auto slot = host.shell_with_output("trap 'sleep 0.2; echo bye; exit' TERM; echo $$; sleep 100 & wait");
  (void)host.line(slot);
  auto request = Host::request("/bin/sh");
  request.rungs = {rung(SIGTERM, WireTarget::leader, 2s)};
  const auto gentle = host.with_output(
      request, {"sh", "-c", "trap 'sleep 0.2; exit' TERM; echo ready; sleep 100 & wait"});
  EXPECT_EQ(host.line(gentle), "ready");
  const auto escapee = host.shell_with_output("setsid sh -c 'setsid sleep 100 & echo $!; exec sleep 100' & wait");
  const pid_t deep = std::stoi(host.line(escapee));
  const pid_t sleeper = host.pid_of(slot), polite = host.pid_of(gentle);
  const auto before = Clock::now();
  host.hang_up();
  EXPECT_TRUE(eventually([&] { return host.reaped(); }));
  EXPECT_TRUE(WIFEXITED(*host.exit_status));
  EXPECT_EQ(WEXITSTATUS(*host.exit_status), 0);
  EXPECT_GE(ms_since(before), 150) << "the gentle one had its time";
  EXPECT_LT(ms_since(before), 1500 * tests::slowness());
  for (const pid_t pid : {deep, sleeper, polite}) EXPECT_TRUE(is_gone(pid)) << pid;
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "something fell to us";
}

// N10.
TEST_F(ShepherdEnd, SigtermEndsAnIdleShepherdAtOnce) {
  const auto before = Clock::now();
  ::kill(host.pid(), SIGTERM);
  EXPECT_TRUE(eventually([&] { return host.reaped(); }, 1s));
  EXPECT_LT(ms_since(before), 50 * tests::slowness());
}

TEST_F(ShepherdEnd, SigtermRunsTheLaddersOfEveryCommand) {
  std::vector<std::uint32_t> slots;
  for (int i = 0; i < 20; ++i) slots.push_back(host.shell_with_output(deaf));
  for (const auto slot : slots) EXPECT_EQ(host.line(slot), "ready");
  ::kill(host.pid(), SIGTERM);
  for (const auto slot : slots) EXPECT_TRUE(host.ended(slot));
  EXPECT_TRUE(eventually([&] { return host.reaped(); }));
  EXPECT_EQ(WEXITSTATUS(*host.exit_status), 0);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ShepherdEnd, ShutdownWaitsForTheLastCommand) {
  const auto slot = host.shell("sleep 0.2");
  host.channel().post(wire::MessageType::shutdown);
  const auto late = host.shell("exit 0");
  ASSERT_TRUE(host.ended(late) && host.ended(slot));
  EXPECT_EQ(host.told[late].failed->fixed.sys_errno, ESHUTDOWN);
  EXPECT_EQ(host.told[slot].exited->end_status, 0);
  EXPECT_TRUE(eventually([&] { return host.reaped(); }));
}

TEST_F(ShepherdEnd, ASlotInUseIsRefusedAndAStrangersGenerationIsNotTouched) {
  const auto slot = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
  ASSERT_TRUE(host.started(slot));
  host.channel().post(wire::MessageType::settle, wire::SettleFixed{{slot, 99}, SettlePolicy::stop, 0});
  ASSERT_TRUE(host.settled(slot));
  host.channel().post(wire::MessageType::stop, wire::StopFixed{{slot, 99}, 0, 0});
  host.rest(20ms);
  EXPECT_FALSE(host.told[slot].exited);
}

// The two go together in one frame: nothing is lost (K13).
TEST_F(ShepherdEnd, SpawnAndStopInOneFrameEndTheCommand) {
  for (int round = 0; round < 200; ++round) {
    const auto slot = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
    host.stop(slot, {rung(SIGKILL, WireTarget::everything, 0ms)});
    ASSERT_TRUE(host.ended(slot)) << round;
    const Told& told = host.told[slot];
    if (told.failed) {
      EXPECT_EQ(told.failed->fixed.sys_errno, ECANCELED);
    } else {
      EXPECT_EQ(told.exited->end_status, SIGKILL);
    }
  }
  EXPECT_EQ(children(), "");
}

}  // namespace
}  // namespace netrunner::testing
