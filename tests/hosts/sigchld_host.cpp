/// sigchld_host REPORT ignore|nocldwait|handler|waiter: a host that does what it likes with SIGCHLD and wait(2).
/// Every command's status must come back right, and so must those of the host's own children, where it can have any.

#include <atomic>
#include <csignal>
#include <map>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

constexpr int own_children_count = 20;
std::atomic<int> own_ended{0}, strangers{0};
std::atomic<pid_t> own_pids[own_children_count];

void note(pid_t pid, int status) {
  for (int own = 0; own < own_children_count; ++own) {
    if (own_pids[own] != pid) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == own + 1) ++own_ended;
    return;
  }
  ++strangers;  // A shepherd that ended, perhaps: nothing is wrong with that.
}

void reap_everything(int /*signal*/) {
  const int kept = errno;
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) note(pid, status);
  errno = kept;
}

void set_sigchld(std::string_view mode) {
  struct sigaction action = {};
  action.sa_handler = mode == "ignore" ? SIG_IGN : mode == "handler" ? reap_everything : SIG_DFL;
  action.sa_flags = mode == "nocldwait" ? SA_NOCLDWAIT : SA_RESTART;
  sigaction(SIGCHLD, &action, nullptr);
}

/// Children of the host itself. Their number is known before they end: they wait for the pipe to close.
void start_own_children() {
  int gate[2];
  if (pipe(gate) != 0) _exit(70);
  for (int own = 0; own < own_children_count; ++own) {
    const pid_t pid = fork();
    if (pid == 0) {
      close(gate[1]);
      char byte;
      (void)!read(gate[0], &byte, 1);
      _exit(own + 1);
    }
    own_pids[own] = pid;
  }
  close(gate[0]);
  close(gate[1]);
}

void run_commands(HostReport& report, std::string_view mode) {
  EngineFixture host;
  start_own_children();
  for (std::size_t n = 0; n < scaled(2000, 50); ++n) {
    const int code = static_cast<int>(n * 7 % 256);
    const nr::Completed completed = host.run(nr::Command::shell("echo x; exit " + std::to_string(code)));
    HOST_CHECK(exit_code(completed.ended) == code);
    HOST_CHECK(completed.out.head == "x\n");
  }
  HOST_CHECK(end_signal(host.run(nr::Command::shell("kill -9 $$")).ended) == SIGKILL);
  if (mode == "handler" || mode == "waiter") {
    const Stopwatch watch;
    while (own_ended < own_children_count && watch.elapsed() < patience(20s)) std::this_thread::yield();
    HOST_CHECK(own_ended == own_children_count);
  }
  // An own child, waited for in the ordinary way, where the host leaves that possible.
  struct sigaction kept = {};
  sigaction(SIGCHLD, nullptr, &kept);
  HOST_CHECK((mode == "ignore") == (kept.sa_handler == SIG_IGN));
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    const std::string_view mode = count > 2 ? arguments[2] : "";
    tests::set_sigchld(mode);
    std::atomic<bool> over{false};
    std::jthread waiter;
    if (mode == "waiter") {
      waiter = std::jthread([&over] {
        int status = 0;
        while (!over) {
          const pid_t pid = waitpid(-1, &status, WNOHANG);
          if (pid > 0) tests::note(pid, status);
          if (pid <= 0) std::this_thread::yield();
        }
      });
    }
    tests::run_commands(report, mode);
    over = true;
  });
}
