/// contained_host REPORT [nobody/]LEVEL COUNT WORD...: starts COUNT commands `escapee WORD...` under that containment
/// (its name as name_of has it), without root's rights where that is asked for, reports "escapee PID" for each, as
/// seen from outside, then "shepherd PID" and "ready", and waits to be killed.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

#include "tests/support/contained.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/nobody.hpp"

namespace tests {
namespace {

nr::Containment level_of(const std::string& name) {
  for (const nr::Containment level : {nr::Containment::cgroup, nr::Containment::subreaper,
                                      nr::Containment::pid_namespace, nr::Containment::process_group}) {
    if (nr::name_of(level) == name) return level;
  }
  return nr::Containment::automatic;
}

void run(const HostReport& report, nr::Containment level, int count, const std::vector<std::string>& words) {
  auto* host = new EngineFixture(options_of(level));  // Never closed.
  auto* commands = new std::vector<WithEscapee>;
  const nr::Command command = child("escapee").args(words).ladder({{SIGTERM, nr::Target::group, 200ms}});
  for (int n = 0; n < count; ++n) commands->push_back(with_escapee(*host, command));
  for (const WithEscapee& one : *commands) report.say("escapee %d", one.escapee);
  report.say("shepherd %d", host->shard_stats().shepherd_pid);
  report.say("ready");
  for (;;) pause();
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    if (count < 5) return report.fail("too few arguments");
    std::string level = arguments[2];
    if (constexpr std::string_view asked = "nobody/"; level.starts_with(asked)) {
      tests::become_nobody();
      prctl(PR_SET_DUMPABLE, 1);  // As after an exec: its /proc/self is its own.
      level.erase(0, asked.size());
    }
    tests::run(report, tests::level_of(level), std::atoi(arguments[3]), {arguments + 4, arguments + count});
  });
}
