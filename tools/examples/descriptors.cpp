/// A descriptor above 2 for what isn't output, a background process that holds stdout open, and what becomes of it.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>

namespace nr = netrunner;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  // Results come by descriptor 3, so that nothing that is printed is taken for one. Its exit is one fact, the end of
  // its output another: the sleep holds stdout, for 100 ms of silence it is waited for.
  const auto command = nr::Command::shell("echo printed; echo result >&3; sleep 1000 3>&- & exit 0")
                           .extra({.number = 3, .stdio = nr::Stdio::pipe()})
                           .drain({.idle = 100ms, .max = 5s});
  auto process = nr::blocking::get(engine->spawn(command));
  if (!process) return std::fprintf(stderr, "%s\n", process.error().message().c_str()), 1;

  const auto read_all = [&](nr::Stream stream) {
    std::string text;
    for (;;) {
      const auto chunk = nr::blocking::read(*process, stream);
      if (!chunk || !*chunk) return text;
      text += (*chunk)->text();
    }
  };
  const std::string result = read_all(static_cast<nr::Stream>(3)), printed = read_all(nr::Stream::out);
  const auto ended = nr::blocking::wait(*process);
  if (!ended) return std::fprintf(stderr, "%s\n", ended.error().message().c_str()), 1;
  std::printf("by 3: %sby stdout: %s%s; left behind and stopped: %u\n", result.c_str(), printed.c_str(),
              nr::to_string(ended->status).c_str(), ended->stragglers);
  for (const nr::PipeHolder& holder : ended->holders) std::printf("stdout was held by %s\n", holder.name.c_str());
  return result == "result\n" && printed == "printed\n" && ended->holders.size() == 1 ? 0 : 1;
}
