/// deaf_host REPORT before|after: blocks every signal in every thread and ignores many, before or after it opens its
/// engine. A command must have an empty mask and nothing ignored.

#include <csignal>
#include <string>
#include <string_view>
#include <thread>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/scale.hpp"

namespace {

void go_deaf() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGRTMIN + 5, SIGRTMAX}) {
    std::signal(number, SIG_IGN);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    using namespace tests;
    const bool before = count > 2 && std::string_view(arguments[2]) == "before";
    if (before) go_deaf();
    EngineFixture host;
    go_deaf();
    const nr::Command status("cat", "/proc/self/status");
    const std::string clean = "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n";
    for (const nr::Grouping grouping : {nr::Grouping::own_group, nr::Grouping::own_session}) {
      const std::string seen = host.run(status.grouping(grouping)).out.head;
      HOST_CHECK(seen.contains(clean));
      if (!seen.contains(clean)) report.say("%s", seen.c_str());
    }
    HOST_CHECK(host.run(nr::Command::shell("yes | head -1")).out.head == "y\n");
    Running sleeper = host.spawn(nr::Command("sleep", "1000").ladder({{SIGTERM, nr::Target::group, 600s}}));
    sleeper.process().stop();
    HOST_CHECK(end_signal(sleeper.wait()) == SIGTERM);
  });
}
