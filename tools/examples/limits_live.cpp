/// Limits of a command that runs: read back from the kernel, and changed. Where they can't be had it says why.

#include <cstdio>
#include <netrunner/netrunner.hpp>

namespace nr = netrunner;
using namespace netrunner::literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  const auto command = nr::Command("sleep", "1000").limits({.memory_max = 64_MiB, .pids_max = 32});
  auto process = nr::blocking::get(engine->spawn(command));
  if (!process && process.error().code == nr::ErrorCode::limit_unavailable) {
    return std::printf("%s\n", process.error().message().c_str()), 0;
  }
  if (!process) return std::fprintf(stderr, "%s\n", process.error().message().c_str()), 1;

  const auto show = [&](const char* when) {
    const auto limits = nr::blocking::get(process->limits());
    if (!limits) return std::fprintf(stderr, "%s\n", limits.error().message().c_str()), 0ULL;
    std::printf("%s: memory_max %llu, pids_max %llu\n", when,
                static_cast<unsigned long long>(limits->memory_max.value_or(0)),
                static_cast<unsigned long long>(limits->pids_max.value_or(0)));
    return static_cast<unsigned long long>(limits->pids_max.value_or(0));
  };
  (void)show("at first");
  const auto changed = nr::blocking::get(process->set_limits({.memory_max = 128_MiB, .pids_max = 64}));
  if (!changed) return std::fprintf(stderr, "%s\n", changed.error().message().c_str()), 1;
  const bool kept = show("then") == 64;
  process->kill();
  const auto ended = nr::blocking::wait(*process);
  return kept && ended ? 0 : 1;
}
