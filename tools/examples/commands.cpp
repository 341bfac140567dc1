/// What runs: a list of all commands with their figures, one found by its pid, one by its number.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <vector>

namespace nr = netrunner;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  std::vector<nr::Process> running;
  for (const char* seconds : {"1001", "1002", "1003"}) {
    auto process = nr::blocking::get(engine->spawn(nr::Command("sleep", seconds)));
    if (!process) return std::fprintf(stderr, "%s\n", process.error().message().c_str()), 1;
    running.push_back(*std::move(process));
  }

  const std::vector<nr::ProcessStats> all = nr::blocking::get(*engine, engine->list());
  for (const nr::ProcessStats& one : all) {
    std::printf("command %llu: %s, pid %d, %s, on shard %u\n", static_cast<unsigned long long>(one.id),
                one.program.c_str(), one.pid, nr::name_of(one.state).data(), one.shard);
  }
  // A number is never used again, a pid is.
  const auto second = nr::blocking::get(*engine, engine->find(running[1].pid()));
  const bool found = second && second->id == running[1].id();
  std::printf("pid %d is %s\n", running[1].pid(), found ? "the second one" : "nobody's");

  for (const nr::Process& process : running) process.stop();
  for (const nr::Process& process : running) {
    if (const auto ended = nr::blocking::wait(process); !ended || ended->reason != nr::EndReason::stopped) return 1;
  }
  return all.size() == 3 && found && nr::blocking::get(*engine, engine->list()).empty() ? 0 : 1;
}
