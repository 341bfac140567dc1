/// small_pid_space_host REPORT: process ids wrap after 400 here, and a canary in a group of its own takes each number
/// that comes free. Late signals and kills must never reach it. (A PID namespace with a pid_max of its own: 6.14.)

#include <atomic>
#include <csignal>
#include <fstream>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/scale.hpp"

/// Where no thread or no process can be had the leak checker can't run either.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return 1; }

namespace tests {
namespace {

bool has_pid_max_per_namespace() {
  utsname name{};
  int major = 0, minor = 0;
  return uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         (major > 6 || (major == 6 && minor >= 14));
}

/// Children that lead groups of their own and do nothing; each must live until it is let go.
void keep_canaries(std::atomic<bool>& over, std::atomic<int>& hits) {
  while (!over) {
    int gate[2];
    if (pipe(gate) != 0) return;
    const pid_t canary = fork();
    if (canary == 0) {
      setpgid(0, 0);
      for (int number = 1; number < 32; ++number) signal(number, SIG_DFL);
      close(gate[1]);
      char byte;
      (void)!read(gate[0], &byte, 1);
      _exit(0);
    }
    close(gate[0]);
    std::this_thread::sleep_for(2ms);  // Its life.
    close(gate[1]);
    int status = 0;
    if (canary > 0 && waitpid(canary, &status, 0) == canary && WIFSIGNALED(status)) ++hits;
  }
}

int in_the_namespace(HostReport& report) {
  mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
  if (mount("proc", "/proc", "proc", 0, nullptr) != 0) return 77;
  std::ofstream("/proc/sys/kernel/pid_max") << 400;
  std::atomic<bool> over{false};
  std::atomic<int> hits{0};
  std::jthread canaries([&] { keep_canaries(over, hits); });
  {
    EngineFixture host({.shards = 1});
    for (std::size_t round = 0; round < scaled(10'000, 100); ++round) {
      Running ended = host.spawn(nr::Command::shell("exit 0").out(nr::Stdio::null()));
      std::jthread signaller([&ended] {  // R1
        for (;;) {
          if (!nr::blocking::get(ended.process().signal(SIGCONT), verb_deadline())) return;
        }
      });
      HOST_CHECK(exit_code(ended.wait()) == 0);
      signaller.join();
      ended.process().kill();  // K1: late, when the number may be somebody else's.
      HOST_CHECK(!nr::blocking::get(ended.process().signal(SIGKILL), verb_deadline()));
    }
  }
  over = true;
  canaries.join();
  HOST_CHECK(hits == 0);
  return report.exit_code();
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  using namespace tests;
  return host_main(argc, argv, [](HostReport& report, int, char**) {
    if (!has_pid_max_per_namespace() || unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) {
      return report.say("skipped: pid_max is not per namespace before Linux 6.14, or may not be unshared");
    }
    const pid_t init = fork();
    if (init == 0) _exit(in_the_namespace(report));
    int status = 0;
    waitpid(init, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return report.say("skipped: no proc(5) may be mounted");
    HOST_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  });
}
