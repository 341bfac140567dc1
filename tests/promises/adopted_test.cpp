/// A process that somebody else started can be awaited, signalled and stopped: itself alone, and never another.

#include <csignal>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/bystander.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

nr::Adopted adopt(EngineFixture& host, pid_t pid) {
  return value_of(nr::blocking::get(host->adopt(pid), verb_deadline()));
}
nr::AdoptedEnd end_of(const nr::Adopted& adopted) {
  return value_of(nr::blocking::get(adopted.wait(), verb_deadline()));
}
bool kernel_tells_of_others() {
  utsname system{};
  uname(&system);
  int major = 0, minor = 0;
  std::sscanf(system.release, "%d.%d", &major, &minor);
  return major > 6 || (major == 6 && minor >= 15);
}

/// A signal is in a set of /proc/<pid>/status: SigIgn or SigCgt.
bool has_signal(pid_t pid, const std::string& set, int number) {
  const std::string status = proc_file(pid, "status");
  const std::size_t at = status.find(set + ":\t");
  if (at == std::string::npos) return false;
  return (std::stoull(status.substr(at + set.size() + 2, 16), nullptr, 16) >> (number - 1) & 1) != 0;
}

TEST(Adopted, TheEndOfAChildOfThisProcessIsToldAndItStaysToBeReaped) {
  EngineFixture host;
  Bystander child({"sh", "-c", "exit 7"});
  const nr::Adopted adopted = adopt(host, child.pid());
  EXPECT_EQ(adopted.pid(), child.pid());
  const nr::AdoptedEnd end = end_of(adopted);
  EXPECT_EQ(exit_code(end.status), 7);
  EXPECT_EQ(end.reason, nr::EndReason::exited);
  EXPECT_GT(end.ended_ns, 0);
  EXPECT_EQ(WEXITSTATUS(child.wait()), 7) << "it was reaped by another";
  EXPECT_EQ(exit_code(end_of(adopted).status), 7) << "asked again, after the fact";
}

TEST(Adopted, ADeathBySignalIsToldAsSuch) {
  EngineFixture host;
  const Bystander child({"sleep", "600"});
  const nr::Adopted adopted = adopt(host, child.pid());
  child.kill(SIGKILL);
  const nr::AdoptedEnd end = end_of(adopted);
  EXPECT_EQ(end_signal(end.status), SIGKILL);
  EXPECT_EQ(end.reason, nr::EndReason::signaled);
}

TEST(Adopted, OfSomebodyElsesChildTheStatusIsKnownOnlyWhereTheKernelTells) {
  EngineFixture host;
  Running command = host.spawn(sh("read x; exit 9").in(nr::Stdio::pipe()));  // A child of the shepherd's, not ours.
  const nr::Adopted adopted = adopt(host, command.pid());
  command.close_input();
  EXPECT_EQ(exit_code(command.wait()), 9);
  const nr::AdoptedEnd end = end_of(adopted);
  if (kernel_tells_of_others()) {
    EXPECT_EQ(exit_code(end.status), 9);
  } else {
    EXPECT_TRUE(std::holds_alternative<nr::Unknown>(end.status)) << nr::to_string(end.status);
  }
  EXPECT_EQ(end.reason, nr::EndReason::exited);
}

TEST(Adopted, AStopReachesItAloneAndClimbsItsLadder) {
  EngineFixture host;
  // A group of two: the leader is deaf to SIGTERM, and its child must not be touched.
  Bystander leader({"python3", "-S", "-c",
                    "import os,signal,subprocess,sys\n"
                    "os.setpgid(0,0); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                    "open(sys.argv[1],'w').write(str(subprocess.Popen(['sleep','600']).pid)+'\\n'); signal.pause()",
                    "/dev/null"});
  ASSERT_TRUE(eventually([&] { return children_of(leader.pid()).size() == 1; }));
  ASSERT_TRUE(eventually([&] { return has_signal(leader.pid(), "SigIgn", SIGTERM); }));
  const pid_t other = children_of(leader.pid()).front().pid;
  const nr::Adopted adopted = adopt(host, leader.pid());
  // A rung that runs a command is passed over, without its pause.
  adopted.stop(nr::KillLadder({nr::Rung::run({"true"}, 600s), {SIGTERM, nr::Target::everything, 200ms}}));
  const nr::AdoptedEnd end = end_of(adopted);
  EXPECT_EQ(end.reason, nr::EndReason::stopped);
  EXPECT_EQ(end_signal(end.status), SIGKILL);
  ASSERT_EQ(end.signals.size(), 2U);
  EXPECT_EQ(end.signals[0].signal, SIGTERM);
  EXPECT_EQ(end.signals[1].signal, SIGKILL);
  EXPECT_TRUE(is_running(other));
  kill(other, SIGKILL);
}

TEST(Adopted, ASecondStopMayOnlyShortenTheFirst) {
  EngineFixture host;
  const Bystander deaf({child_path("deaf")});
  ASSERT_TRUE(eventually([&] { return has_signal(deaf.pid(), "SigIgn", SIGTERM); }));
  const nr::Adopted adopted = adopt(host, deaf.pid());
  adopted.stop(nr::KillLadder({{SIGTERM, nr::Target::leader, 600s}}));
  adopted.stop(nr::KillLadder({{SIGTERM, nr::Target::leader, 900s}}));
  EXPECT_TRUE(remains([&] { return is_running(deaf.pid()); }));
  adopted.stop(nr::KillLadder::at_once());
  EXPECT_EQ(end_of(adopted).signals.back().signal, SIGKILL);
}

TEST(Adopted, AStoppedProcessIsContinuedSoThatItHearsTheSignal) {
  EngineFixture host;
  const Bystander child({"sleep", "600"});
  child.kill(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return process_state(child.pid()) == 'T'; }));
  const nr::Adopted adopted = adopt(host, child.pid());
  adopted.stop(nr::KillLadder({{SIGTERM, nr::Target::leader, 600s}}));
  EXPECT_EQ(end_signal(end_of(adopted).status), SIGTERM);
}

TEST(Adopted, ASignalIsSentAndOneToADeadProcessIsAnError) {
  EngineFixture host;
  Bystander child({"sh", "-c", "trap 'exit 5' USR1; while :; do sleep 0.05; done"});
  nr::Adopted adopted = adopt(host, child.pid());
  ASSERT_TRUE(eventually([&] { return has_signal(child.pid(), "SigCgt", SIGUSR1); }));
  value_of(nr::blocking::get(adopted.signal(SIGUSR1), verb_deadline()));
  EXPECT_EQ(exit_code(end_of(adopted).status), 5);
  EXPECT_EQ(nr::blocking::get(adopted.signal(SIGUSR1), verb_deadline()).error().code, nr::ErrorCode::already_exited);
}

TEST(Adopted, APidfdIsBorrowed) {
  EngineFixture host;
  Bystander child({"sleep", "600"});
  const auto pidfd = static_cast<int>(syscall(SYS_pidfd_open, child.pid(), 0));
  const nr::Adopted adopted = value_of(nr::blocking::get(host->adopt_pidfd(pidfd), verb_deadline()));
  EXPECT_EQ(adopted.pid(), child.pid());
  EXPECT_EQ(close(pidfd), 0);
  child.kill();
  EXPECT_EQ(end_signal(end_of(adopted).status), SIGKILL);
  EXPECT_EQ(nr::blocking::get(host->adopt_pidfd(0), verb_deadline()).error().code, nr::ErrorCode::not_found);
}

TEST(Adopted, WhatDoesNotExistIsNotFound) {
  EngineFixture host;
  pid_t gone = 0;
  {
    Bystander child({"true"});
    gone = child.pid();
    child.wait();
  }
  EXPECT_EQ(nr::blocking::get(host->adopt(gone), verb_deadline()).error().code, nr::ErrorCode::not_found);
  EXPECT_EQ(nr::blocking::get(host->adopt(0), verb_deadline()).error().code, nr::ErrorCode::invalid_argument);
  EXPECT_EQ(nr::blocking::get(host->adopt(-5), verb_deadline()).error().code, nr::ErrorCode::invalid_argument);
}

TEST(Adopted, DroppedOrAfterItsEngineItIsLetAlone) {
  const Bystander child({"sleep", "600"});
  std::optional<nr::Adopted> kept;
  {
    EngineFixture host;
    { const nr::Adopted dropped = adopt(host, child.pid()); }
    kept = adopt(host, child.pid());
  }
  EXPECT_TRUE(remains([&] { return is_running(child.pid()); }));
  EXPECT_EQ(nr::blocking::get(kept->wait(), verb_deadline()).error().code, nr::ErrorCode::engine_closed);
}

TEST(Adopted, ManyWaitForOneEnd) {
  EngineFixture host;
  const Bystander child({"sleep", "600"});
  const nr::Adopted adopted = adopt(host, child.pid());
  const auto both = [&]() -> nr::Task<int> {
    auto [first, second] = co_await nr::when_all(adopted.wait(), adopted.wait());
    co_return end_signal(first->status) + end_signal(second->status);
  };
  const auto late = nr::blocking::get(adopted.wait(), nr::Deadline::after(50ms));
  EXPECT_EQ(late.error().code, nr::ErrorCode::timed_out);
  child.kill(SIGTERM);
  EXPECT_EQ(host.get(both()), 2 * SIGTERM);
}

}  // namespace
}  // namespace tests
