/// jumping_clock_host REPORT: the wall clock of this host jumps a year to and fro with every look at it.

#include <atomic>
#include <csignal>
#include <ctime>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/support/captures.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/scale.hpp"

namespace {

std::atomic<long> looks{0};
constexpr time_t year_s = 365 * 24 * 3600;
time_t jump() { return ++looks % 2 == 0 ? year_s : -year_s; }

}  // namespace

// In the executable, so that the C++ library's clocks find these instead of the C library's.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = syscall(SYS_clock_gettime, clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += jump();
  return static_cast<int>(result);
}
extern "C" time_t time(time_t* where) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (where != nullptr) *where = now.tv_sec;
  return now.tv_sec;
}

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int, char**) {
    using namespace tests;
    EngineFixture host;
    const Stopwatch watch;
    Captures many(*host);
    for (int n = 0; n < 10; ++n) {
      many.start(nr::Command("sleep", "1000").deadline(patience(500ms)));
      many.start(nr::Command("sleep", "0.7").deadline(600s));
    }
    HOST_CHECK(many.join());
    for (std::size_t n = 0; n < many.outcomes().size(); ++n) {
      const auto& outcome = many.outcomes()[n];
      HOST_CHECK(outcome);
      if (outcome) HOST_CHECK(outcome->ended.reason == (n % 2 == 0 ? nr::EndReason::deadline : nr::EndReason::exited));
    }
    HOST_CHECK(watch.elapsed() >= 500ms);
    HOST_CHECK(watch.elapsed() < patience(30s));

    Running ignorant = host.spawn(nr::Command::shell("trap '' TERM; echo ready; while :; do sleep 0.05; done")
                                      .ladder({{SIGTERM, nr::Target::group, 300ms}}));
    HOST_CHECK(ignorant.read_exactly(6) == "ready\n");
    ignorant.process().stop();
    HOST_CHECK(end_signal(ignorant.wait()) == SIGKILL);
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    HOST_CHECK(looks > 0);
  });
}
