/// seq | grep | wc, joined by the kernel's pipes: this program sees the last one's output only.

#include <cstdio>
#include <netrunner/netrunner.hpp>

namespace nr = netrunner;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  const nr::Pipeline sevens(nr::Command{"seq", "1", "100000"}, nr::Command{"grep", "7"}, nr::Command{"wc", "-l"});
  const auto counted = engine->run(sevens);
  if (!counted) return std::fprintf(stderr, "%s\n", counted.error().message().c_str()), 1;
  std::printf("numbers with a 7: %s", counted->out.text().c_str());

  // `yes` is killed by SIGPIPE because `head` has had enough. That is no failure, as in a shell.
  const auto enough = engine->run(nr::Pipeline(nr::Command{"yes"}, nr::Command{"head", "-n", "3"}));
  if (!enough) return std::fprintf(stderr, "%s\n", enough.error().message().c_str()), 1;
  for (const nr::Ended& stage : enough->ended.stages) std::printf("%s\n", nr::to_string(stage.status).c_str());
  return counted->success() && counted->out.head == "40951\n" && enough->success() ? 0 : 1;
}
