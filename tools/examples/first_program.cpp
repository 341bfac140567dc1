#include <cstdio>
#include <netrunner/netrunner.hpp>
namespace nr = netrunner;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();  // A thread per core, and beside each a helper that starts the commands.
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  auto sorted = engine->run(nr::Command{"sort", "-n"}.input("10\n9\n1\n").deadline(5s));
  if (!sorted) return std::fprintf(stderr, "%s\n", sorted.error().message().c_str()), 1;
  std::printf("%ssort: %s\n", sorted->out.text().c_str(), nr::to_string(sorted->ended.status).c_str());

  auto untidy = engine->run(nr::Command::shell("sleep 1000 & echo done"));  // The sleep is not left behind.
  if (!untidy) return std::fprintf(stderr, "%s\n", untidy.error().message().c_str()), 1;
  std::printf("%sleft behind and stopped: %u\n", untidy->out.text().c_str(), untidy->ended.stragglers);

  auto missing = engine->run(nr::Command{"no-such-program"});  // An error, not an exit status of 127.
  if (!missing) std::printf("%s\n", missing.error().message().c_str());
}
