/// Three mirrors are asked at once: the first answer wins, the others are stopped. Then all of several, side by side.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>
#include <vector>

namespace nr = netrunner;
using namespace std::chrono_literals;

namespace {

nr::Command mirror(const std::string& name, const std::string& seconds) {
  return nr::Command::shell("sleep " + seconds + "; echo answer of " + name).ladder(nr::KillLadder::at_once());
}

nr::Task<nr::Result<bool>> ask(nr::Engine& engine) {
  NR_CO_TRY(slow, co_await engine.spawn(mirror("slow", "60")));
  NR_CO_TRY(quick, co_await engine.spawn(mirror("quick", "0.1")));
  NR_CO_TRY(never, co_await engine.spawn(mirror("never", "600")));

  // Nobody has answered within a moment: that is an error, and the commands are not touched by it.
  const auto at_once = co_await nr::with_deadline(quick.read(), nr::Deadline::after(1ms));
  std::printf("at once: %s\n", at_once ? "an answer" : at_once.error().message().c_str());

  auto [index, results] = co_await nr::when_any(slow.read(), quick.read(), never.read(), engine.sleep(30s));
  auto& answer = std::get<1>(results);
  if (index != 1 || !answer || !*answer) co_return false;
  std::printf("first: %s", std::string((*answer)->text()).c_str());

  std::vector<nr::Task<nr::Result<nr::Completed>>> commands;
  for (const char* word : {"one", "two", "three"}) commands.push_back(engine.capture(nr::Command("echo", word)));
  for (const auto& completed : co_await nr::when_all(std::move(commands))) {
    if (!completed) co_return std::unexpected(completed.error());
    std::printf("all: %s", completed->out.text().c_str());
  }
  co_return true;  // The handles go, and with them what still sleeps.
}

}  // namespace

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;
  const auto asked = nr::blocking::get(ask(*engine));
  if (!asked) return std::fprintf(stderr, "%s\n", asked.error().message().c_str()), 1;
  return *asked ? 0 : 1;
}
