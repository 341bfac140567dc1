/// A std::stop_token stops a command: by its ladder, and the result says that it was stopped.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <stop_token>
#include <thread>

namespace nr = netrunner;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  // It says goodbye at SIGTERM; without the trap the status would be "killed by SIGTERM", the reason the same.
  const auto command = nr::Command::shell("trap 'echo goodbye; exit 3' TERM; echo ready; while :; do sleep 0.1; done")
                           .ladder({{SIGTERM, nr::Target::leader, 5s}});
  std::stop_source source;
  std::jthread user([&source] {
    std::this_thread::sleep_for(500ms);
    source.request_stop();
  });
  const auto completed = nr::blocking::get(engine->capture(command, {}, source.get_token()));
  if (!completed) return std::fprintf(stderr, "%s\n", completed.error().message().c_str()), 1;

  const nr::Ended& ended = completed->ended;
  std::printf("%s%s, reason %s\n", completed->out.text().c_str(), nr::to_string(ended.status).c_str(),
              nr::name_of(ended.reason).data());
  return ended.reason == nr::EndReason::stopped && ended.status == nr::ExitStatus(nr::Exited{3}) ? 0 : 1;
}
