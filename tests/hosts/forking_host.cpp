/// forking_host REPORT verbs|own|drop|outlive: forks without exec while commands run.
///   verbs    the child tries every verb: engine_closed each time, and the parent's commands end well
///   own      the child opens an engine of its own and runs a command
///   drop     the child destroys its copy of a handle: the parent's command lives on
///   outlive  the parent's engine is closed while the child lives: shepherds and commands end all the same

#include <csignal>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "tests/support/captures.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

/// Runs `body` in a forked child; its exit code, or -1 where it hung or crashed.
template <class Body>
int in_a_fork(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);
    _exit(body());
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

template <class T>
bool is_closed(const nr::Result<T>& result) {
  return !result && result.error().code == nr::ErrorCode::engine_closed;
}

int try_verbs(EngineFixture& host, Running& running) {
  int wrong = 0;
  if (!is_closed(nr::blocking::get(host->spawn(nr::Command("true")), verb_deadline()))) wrong |= 1;
  if (!is_closed(nr::blocking::get(running.process().read(), verb_deadline()))) wrong |= 2;
  if (!is_closed(nr::blocking::get(running.process().write("x"), verb_deadline()))) wrong |= 4;
  if (!is_closed(nr::blocking::get(running.process().signal(SIGTERM), verb_deadline()))) wrong |= 8;
  if (!is_closed(host->run(nr::Command("true")))) wrong |= 16;
  running.process().stop();
  return wrong;
}

void verbs(HostReport& report) {
  EngineFixture host;
  Running running = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  Captures many(*host);
  for (std::size_t round = 0; round < scaled(100, 5); ++round) {
    for (int n = 0; n < 5; ++n) many.start(nr::Command::shell("echo x; exit 7"));
    const int wrong = in_a_fork([&] { return try_verbs(host, running); });
    if (wrong != 0) report.fail("verbs in the child, bit by bit: " + std::to_string(wrong));
  }
  HOST_CHECK(many.join());
  for (const auto& outcome : many.outcomes()) {
    HOST_CHECK(outcome && exit_code(outcome->ended) == 7 && outcome->out.head == "x\n");
  }
  running.write("still there");
  HOST_CHECK(running.read_exactly(11) == "still there");
  running.close_input();
  HOST_CHECK(exit_code(running.wait()) == 0);
}

void own(HostReport& report) {
  EngineFixture host;
  const int result = in_a_fork([] {
    nr::Result<nr::Engine> engine = nr::Engine::open({.shards = 1});
    if (!engine) return 1;
    const auto completed = engine->run(nr::Command("echo", "child"));
    if (!completed || completed->out.head != "child\n") return 2;
    return engine->close().complete ? 0 : 3;
  });
  HOST_CHECK(result == 0);
  HOST_CHECK(host.run(nr::Command("echo", "parent")).out.head == "parent\n");
}

void drop(HostReport& report) {
  EngineFixture host;
  Running running = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  HOST_CHECK(in_a_fork([&] {
               { const Running taken(running.take()); }
               return 0;
             }) == 0);
  running.write("x");
  HOST_CHECK(running.read_exactly(1) == "x");
  HOST_CHECK(is_running(running.pid()));
}

void outlive(HostReport& report) {
  int gate[2];
  HOST_CHECK(pipe(gate) == 0);
  pid_t command = 0, child = 0;
  {
    EngineFixture host;
    const Running running = host.spawn(nr::Command("sleep", "1000"));
    command = running.pid();
    child = fork();
    if (child == 0) {
      char byte;
      close(gate[1]);
      (void)!read(gate[0], &byte, 1);
      _exit(0);
    }
    const Stopwatch watch;
    HOST_CHECK(host->close().complete);
    HOST_CHECK(watch.elapsed() < patience(8s));
  }
  HOST_CHECK(!is_running(command));
  for (const ProcessEntry& entry : children_of(getpid())) HOST_CHECK(entry.pid == child);
  close(gate[1]);
  waitpid(child, nullptr, 0);
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    const std::string_view mode = count > 2 ? arguments[2] : "";
    if (mode == "verbs") tests::verbs(report);
    if (mode == "own") tests::own(report);
    if (mode == "drop") tests::drop(report);
    if (mode == "outlive") tests::outlive(report);
  });
}
