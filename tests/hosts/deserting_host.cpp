/// deserting_host REPORT: an engine for a foreign loop is destroyed in another thread than the loop's. Its commands
/// end, and this host goes on: it opens another engine.

#include <optional>
#include <string>
#include <thread>
#include <unistd.h>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/proc.hpp"

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int, char**) {
    using namespace tests;
    nr::EngineOptions options;
    options.threads = nr::Threads::foreign;
    std::optional<EngineFixture> host(options);
    std::optional<Running> sleeper(host->spawn(nr::Command("sleep", "1000")));
    const pid_t pid = sleeper->pid();
    std::thread([&] { host.reset(); }).join();
    HOST_CHECK(eventually([&] { return !is_running(pid); }));
    sleeper.reset();
    EngineFixture another;
    HOST_CHECK(exit_code(another.run(nr::Command("true")).ended) == 0);
  });
}
