/// No thread of ours: the program's own poll(2) loop drives the engine between its other work, here a clock.

#include <cstdint>
#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <optional>
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace nr = netrunner;

namespace {

nr::Task<void> work(nr::Engine& engine, std::optional<nr::Result<nr::Completed>>& result) {
  result.emplace(co_await engine.capture(nr::Command::shell("sleep 0.5; echo from the command")));
}

int open_clock() {
  const int clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  const itimerspec every_100_ms{{0, 100'000'000}, {0, 100'000'000}};
  timerfd_settime(clock, 0, &every_100_ms, nullptr);
  return clock;
}

}  // namespace

int main() {
  auto engine = nr::Engine::open({.threads = nr::Threads::foreign});
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  std::optional<nr::Result<nr::Completed>> result;
  nr::start_detached(work(*engine, result));
  const int clock = open_clock();
  std::uint64_t ticks = 0;
  engine->turn();  // What was asked for until now goes out.
  while (!result) {
    pollfd ready[] = {{engine->event_fd(), POLLIN, 0}, {clock, POLLIN, 0}};
    if (poll(ready, 2, -1) < 0) continue;  // EINTR.
    if (std::uint64_t passed = 0; (ready[1].revents & POLLIN) != 0 && read(clock, &passed, sizeof passed) > 0) {
      ticks += passed;
    }
    if ((ready[0].revents & POLLIN) != 0) engine->turn();
  }
  close(clock);
  if (!*result) return std::fprintf(stderr, "%s\n", result->error().message().c_str()), 1;
  std::printf("%sthe clock ticked %llu times meanwhile\n", (*result)->out.text().c_str(),
              static_cast<unsigned long long>(ticks));
  return (*result)->success() && ticks >= 3 ? 0 : 1;
}
