/// doomed_host REPORT MODE FILE SCRIPT [COUNT [LADDER]]: starts COUNT commands `sh -c SCRIPT FILE`, which print
/// "ready", reports "ready", and then ends as MODE says, or waits to be killed:
///   wait, lock (holds flock(2) on FILE), busy (starts more and more), exit (_exit), abort, exec (becomes `sleep 3`),
///   return (from main, the engine never closed), stop (orders every ladder, then _exit), detached (then _exit),
///   limited (waits, and its commands have a limit of processes)

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>
#include <vector>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

const nr::KillLadder usual_ladder{{SIGTERM, nr::Target::group, 1s}};

nr::Command doomed(const char* script, const char* file, const nr::KillLadder& ladder) {
  return nr::Command("/bin/sh", "-c", script, file).ladder(ladder);
}

[[noreturn]] void be_busy(EngineFixture& host, const nr::Command& command) {
  for (;;) {
    Running one = host.spawn(command);
    one.take().detach();
  }
}

void end_as(std::string_view mode, EngineFixture& host, std::vector<Running>& commands, const nr::Command& command) {
  if (mode == "busy") be_busy(host, command);
  if (mode == "exit") _exit(0);
  if (mode == "abort") std::abort();
  if (mode == "exec") execl("/bin/sleep", "sleep", "3", static_cast<char*>(nullptr));
  if (mode == "stop") {
    for (Running& one : commands) one.process().stop();
    _exit(0);
  }
  if (mode == "detached") {
    for (Running& one : commands) one.take().detach();
    _exit(0);
  }
  if (mode == "return") return;
  for (;;) pause();
}

void run(const HostReport& report, std::string_view mode, const char* file, const char* script, int count,
         const nr::KillLadder& ladder) {
  if (mode == "lock") {
    const int lock = open(file, O_RDWR | O_CREAT, 0666);  // No O_CLOEXEC.
    if (flock(lock, LOCK_EX) != 0) report.say("no lock");
  }
  auto* host = new EngineFixture;  // Never closed.
  auto* commands = new std::vector<Running>;
  nr::Command command = doomed(script, file, ladder);
  if (mode == "limited") command = command.limits({.pids_max = 1000});
  for (int n = 0; n < count; ++n) commands->push_back(host->spawn(command));
  for (Running& one : *commands) {
    if (one.read_exactly(6) != "ready\n") report.say("a command is not ready");
  }
  report.say("ready");
  end_as(mode, *host, *commands, command.out(nr::Stdio::null()));
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    if (count < 5) return report.fail("too few arguments");
    const auto ladder = count > 6 ? tests::value_of(tests::nr::KillLadder::parse(arguments[6])) : tests::usual_ladder;
    tests::run(report, arguments[2], arguments[3], arguments[4], count > 5 ? std::atoi(arguments[5]) : 1, ladder);
  });
}
