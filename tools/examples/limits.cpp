// A command that may have 32 MiB, 16 processes and 2 s of CPU time, whatever it starts; then one that wants more.
#include <cstdio>
#include <netrunner/netrunner.hpp>
namespace nr = netrunner;
using namespace nr::literals;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  // best_effort: go on where a limit can't be had (no controller, not ours to use), and say which.
  const nr::Limits limits{.memory_max = 32_MiB, .pids_max = 16, .cpu_time = 2s};
  const auto limited = [&](const char* script) {
    return nr::Command::shell(script).limits(limits, nr::LimitPolicy::best_effort).deadline(30s);
  };

  auto modest = engine->run(limited("echo modest"));
  if (!modest) return std::fprintf(stderr, "%s\n", modest.error().message().c_str()), 1;
  for (const nr::LimitOutcome& limit : modest->ended.limits) {
    std::printf("%-10s %s\n", limit.limit.c_str(), limit.applied() ? limit.by.c_str() : limit.why_not.c_str());
  }
  const nr::Usage& usage = modest->ended.usage;
  std::printf("used %llu us of CPU", static_cast<unsigned long long>(usage.user_us + usage.system_us));
  if (usage.memory_peak_bytes) {
    std::printf(", %llu KiB at most", static_cast<unsigned long long>(*usage.memory_peak_bytes / 1024));
  }
  std::puts("");

  if (!modest->ended.limits.front().applied()) return 0;  // The next one would take the machine's memory.
  auto greedy = engine->run(limited("exec tail /dev/zero"));  // It keeps the line that never ends.
  if (!greedy) return std::fprintf(stderr, "%s\n", greedy.error().message().c_str()), 1;
  std::printf("tail /dev/zero: %s, %s\n", nr::name_of(greedy->ended.reason).data(),
              nr::to_string(greedy->ended.status).c_str());
  return greedy->ended.success() ? 1 : 0;
}
