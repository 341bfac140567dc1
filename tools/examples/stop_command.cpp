/// A ladder whose first rung runs a command, as services bring one: "nginx -s quit". It would be run by the helper
/// process even if this program were dead by then. SIGTERM follows if it doesn't help, and SIGKILL to everything.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <netrunner/netrunner.hpp>

namespace nr = netrunner;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  // A service that ends in an orderly way when it is told to, and heeds no SIGTERM. The same as text, for `--ladder`:
  // "exec(kill -USR1 $NETRUNNER_PID):10s,TERM:5s,KILL".
  const auto service = nr::Command::shell("trap '' TERM; trap 'echo saved; exit 0' USR1; while :; do sleep 0.1; done")
                           .ladder({nr::Rung::run({"sh", "-c", "kill -USR1 $NETRUNNER_PID"}, 10s),
                                    {SIGTERM, nr::Target::group, 5s}})
                           .deadline(500ms);
  const auto completed = engine->run(service);
  if (!completed) return std::fprintf(stderr, "%s\n", completed.error().message().c_str()), 1;

  const nr::Ended& ended = completed->ended;
  std::printf("%s%s, reason %s\n", completed->out.text().c_str(), nr::to_string(ended.status).c_str(),
              nr::name_of(ended.reason).data());
  for (const nr::StopCommandRun& run : ended.stop_commands) {
    std::printf("stop command %s: %s\n", run.program.c_str(), run.error ? run.error->message().c_str() : "was run");
  }
  return ended.status == nr::ExitStatus(nr::Exited{0}) && ended.signals.empty() ? 0 : 1;
}
