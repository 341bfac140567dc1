/// A command's output goes to another owner, here a thread, which reads it to the end though the command's own handle
/// has gone; its input goes to a third.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>
#include <thread>

namespace nr = netrunner;
namespace blocking = netrunner::blocking;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;
  auto sort = blocking::spawn(*engine, nr::Command("sort").in(nr::Stdio::pipe()));
  if (!sort) return std::fprintf(stderr, "%s\n", sort.error().message().c_str()), 1;
  auto reader = blocking::get(sort->take(nr::Stream::out));
  auto writer = blocking::get(sort->take_input());
  if (!reader || !writer) return 1;
  if (const auto refused = blocking::read(*sort); !refused) std::printf("%s\n", refused.error().message().c_str());

  std::string sorted;
  std::thread consumer([&sorted, output = std::move(*reader)]() mutable {
    for (;;) {
      auto chunk = blocking::get(output.read());
      if (!chunk || !*chunk) return;
      sorted += (*chunk)->text();
    }
  });
  std::thread producer([input = std::move(*writer)]() mutable {
    for (const char* word : {"pear\n", "apple\n", "fig\n"}) {
      if (!blocking::get(input.write(word))) return;
    }
  });  // The writer ends with the thread's function: end of input.
  producer.join();
  const auto ended = blocking::wait(*sort);
  consumer.join();
  std::printf("%s", sorted.c_str());
  return ended && ended->success() && sorted == "apple\nfig\npear\n" ? 0 : 1;
}
