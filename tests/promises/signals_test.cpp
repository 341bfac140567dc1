/// Signal masks and dispositions are clean in a command, and each end is what it is. Theme SIG.

#include <atomic>
#include <csignal>
#include <set>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <variant>

#include <gtest/gtest.h>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/refusal.hpp"

namespace tests {
namespace {

TEST(Signals, MaskAndDispositionsAreCleanWhateverTheHostHas) {  // G1
  EXPECT_TRUE(host_succeeds("deaf_host", {"before"}));
}

TEST(Signals, NeitherDoChangesAfterTheEngineOpenedReachACommand) {  // G1
  EXPECT_TRUE(host_succeeds("deaf_host", {"after"}));
}

TEST(Signals, AProgramOfThePipelineDiesOfSigpipe) {  // G1
  EngineFixture host;
  const Stopwatch watch;
  EXPECT_EQ(host.run(sh("yes | head -1")).out.head, "y\n");
  EXPECT_LT(watch.elapsed(), patience(15s));
  EXPECT_EQ(host.run(nr::Command("bash", "-c", "yes | head -1 >/dev/null; echo ${PIPESTATUS[0]}")).out.head, "141\n");
}

TEST(Signals, AnExitCodeAndASignalAreNeverTheSame) {  // G3, G4
  EngineFixture host;
  const nr::Ended exited = host.run(nr::Command::shell("exit 137")).ended;
  const nr::Ended killed = host.run(nr::Command::shell("kill -9 $$")).ended;
  EXPECT_TRUE(exited.status == nr::ExitStatus(nr::Exited{137}));
  EXPECT_TRUE(killed.status == nr::ExitStatus(nr::Signaled{.signal = 9, .core_dumped = false}));
  EXPECT_EQ(exited.reason, nr::EndReason::exited);
  EXPECT_EQ(killed.reason, nr::EndReason::signaled);
  EXPECT_EQ(nr::to_string(exited.status), "exited 137");
  EXPECT_EQ(nr::to_string(killed.status), "killed by SIGKILL");
  EXPECT_FALSE(exited.success());
  EXPECT_FALSE(killed.success());
}

TEST(Signals, EveryExitCodeComesBack) {  // G3
  EngineFixture host;
  for (int code = 0; code < 256; ++code) {
    ASSERT_EQ(exit_code(host.run(child("instant_exit", std::to_string(code))).ended), code);
  }
}

TEST(Signals, EverySignalComesBack) {  // G3
  EngineFixture host;
  const std::set<int> no_end = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, 32, 33};
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (no_end.contains(number)) continue;
    const nr::Ended ended =
        host.run(nr::Command("python3", "-S", "-c", "import os,sys;os.kill(os.getpid(),int(sys.argv[1]))",
                             std::to_string(number))
                     .resource_limit({RLIMIT_CORE, 0, 0}))
            .ended;
    if (number == SIGPIPE || number == SIGXFSZ || number == SIGINT) continue;  // Python's own affair.
    EXPECT_EQ(end_signal(ended), number);
    EXPECT_EQ(ended.reason, nr::EndReason::signaled);
  }
}

std::atomic<int> sigpipe_count{0};
void count_sigpipe(int /*signal*/) { ++sigpipe_count; }

TEST(Signals, TheHostGetsNoSigpipeOfACommandThatDiesWhileItIsWrittenTo) {  // S6, and why a host died.
  struct sigaction ours = {}, before = {};
  ours.sa_handler = count_sigpipe;
  ASSERT_EQ(sigaction(SIGPIPE, &ours, &before), 0);
  {
    EngineFixture host;
    const std::string much(8 * MiB, 'x');
    for (int round = 0; round < 20; ++round) {
      Running deaf = host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe()));
      std::jthread writer([&] { EXPECT_FALSE(nr::blocking::write(deaf.process(), much, verb_deadline())); });
      EXPECT_TRUE(eventually([&] { return deaf.stream_stats(nr::Stream::in).bytes > 0; }));
      deaf.process().kill();
    }
  }
  EXPECT_EQ(sigpipe_count.load(), 0);
  sigaction(SIGPIPE, &before, nullptr);
}

TEST(Signals, AStartThatFailedIsNoExit) {  // G3, G4
  EngineFixture host;
  EXPECT_EQ(refusal(host, nr::Command("/no/such/program")).code, nr::ErrorCode::not_found);
  EXPECT_EQ(refusal(host, nr::Command("/etc")).code, nr::ErrorCode::not_executable);
  EXPECT_EQ(exit_code(host.run(nr::Command::shell("exit 127")).ended), 127);
}

TEST(Signals, AStoppedCommandIsNotAnEndedOne) {  // G5
  EngineFixture host;
  Running stopped = host.spawn(nr::Command::shell("kill -TSTP $$; echo on").out(nr::Stdio::pipe()));
  EXPECT_TRUE(remains([&] { return !stopped.stats().exited; }));
  EXPECT_TRUE(eventually([&] {
    // TSTP may arrive after the first CONT: ask until it goes on.
    (void)nr::blocking::get(stopped.process().signal(SIGCONT), verb_deadline());
    return stopped.stats().exited;
  }));
  EXPECT_EQ(stopped.read_all(), "on\n");
  EXPECT_EQ(exit_code(stopped.wait()), 0);
}

TEST(Signals, EachIsDeliveredOnceAndInOrder) {  // G5
  EngineFixture host;
  const std::string trap_all =
      "import signal,sys,os\n"
      "def note(number, frame): os.write(1, b'%d ' % number)\n"
      "names = ('HUP','INT','QUIT','USR1','USR2','TERM','CONT','ALRM')\n"
      "for name in names: signal.signal(getattr(signal, 'SIG' + name), note)\n"
      "os.write(1, b'ready ')\n"
      "while True: signal.pause()\n";
  Running trapping = host.spawn(python(trap_all));
  EXPECT_EQ(trapping.read_exactly(6), "ready ");
  for (int round = 0; round < 5; ++round) {
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGALRM}) {
      value_of(nr::blocking::get(trapping.process().signal(number), verb_deadline()));
      const std::string right = std::to_string(number) + " ";
      EXPECT_EQ(trapping.read_exactly(right.size()), right);
    }
  }
  trapping.process().kill();
  EXPECT_EQ(trapping.wait().signals.size(), 41U);
}

}  // namespace
}  // namespace tests
