/// A process that was not started by the engine is awaited and stopped, by its pidfd: it can't be mistaken for another.

#include <csignal>
#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace nr = netrunner;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  const pid_t child = ::fork();
  if (child == 0) {
    ::execlp("sleep", "sleep", "600", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  auto adopted = nr::blocking::get(engine->adopt(child));
  if (!adopted) return std::fprintf(stderr, "%s\n", adopted.error().message().c_str()), 1;

  adopted->stop(nr::KillLadder({{SIGTERM, nr::Target::leader, 5s}}));
  const auto end = nr::blocking::get(adopted->wait());
  if (!end) return std::fprintf(stderr, "%s\n", end.error().message().c_str()), 1;
  std::printf("%s, reason %s\n", nr::to_string(end->status).c_str(), std::string(nr::name_of(end->reason)).c_str());

  int status = 0;  // It is our child still: whoever started it reaps it.
  return ::waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM ? 0 : 1;
}
