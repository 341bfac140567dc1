/// What happens to commands, as it happens; and the figures of the engine as OpenMetrics text.

#include <cstdio>
#include <mutex>
#include <netrunner/netrunner.hpp>
#include <string>

namespace nr = netrunner;
using namespace std::chrono_literals;

namespace {

/// Called from every shard's thread: a lock, and nothing that blocks for long.
void show(const nr::Event& event) {
  static std::mutex mutex;
  const std::lock_guard guard(mutex);
  const std::string kind(nr::name_of(event.kind)), program(event.program);
  std::printf("shard %u: %-16s %s", event.shard, kind.c_str(), program.c_str());
  if (event.kind == nr::EventKind::output) std::printf(", %llu bytes", static_cast<unsigned long long>(event.bytes));
  if (event.kind == nr::EventKind::limit) std::printf(", %s", std::string(nr::name_of(event.reason)).c_str());
  if (event.kind == nr::EventKind::gone) std::printf(", %s", nr::to_string(event.status).c_str());
  std::printf("\n");
}

}  // namespace

int main() {
  nr::EngineOptions options;
  options.on_event = show;
  options.logger = nr::Logger([](nr::LogLevel level, std::string_view line) {
    std::printf("log: %s: %.*s\n", std::string(nr::name_of(level)).c_str(), static_cast<int>(line.size()), line.data());
  });
  auto engine = nr::Engine::open(options);
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  int own_events = 0;  // Of one command alone; told before whoever awaits its end goes on.
  const auto count = [&own_events](const nr::Event&) { ++own_events; };
  const auto echo = engine->run(nr::Command{"echo", "hello"}.on_event(count));
  const auto slow = engine->run(nr::Command{"sleep", "1000"}.deadline(100ms));
  if (!echo || !slow) return 1;

  const nr::EngineStats stats = nr::blocking::get(engine->stats());
  const std::string text = nr::to_openmetrics(stats);
  std::printf("%.*s...\n", 300, text.c_str());
  return echo->success() && own_events >= 5 && stats.total().started == 2 ? 0 : 1;
}
