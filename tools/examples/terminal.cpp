/// A conversation with a program that insists on a terminal: it prompts, we type; then the window grows.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>
namespace nr = netrunner;
using namespace std::chrono_literals;

/// What the program says, until it has said `awaited`.
nr::Task<std::string> expect(nr::Process& program, std::string awaited) {
  std::string said;
  while (said.find(awaited) == std::string::npos) {
    auto chunk = co_await program.read();
    if (!chunk || !*chunk) break;
    said += (*chunk)->text();
  }
  co_return said;
}

nr::Task<nr::Result<nr::Ended>> talk(nr::Engine& engine) {
  const auto shell = nr::Command::shell("printf 'name? '; read name; echo hello $name; trap 'stty size; exit' WINCH; "
                                        "echo waiting; while :; do sleep 0.01; done");
  // stderr apart, which on a terminal is otherwise lost among the rest; what is typed isn't echoed.
  const nr::Terminal terminal = {.size = {.rows = 24, .columns = 80}, .modes = nr::TerminalModes().echo(false)};
  const auto command = shell.terminal(terminal).err(nr::Stdio::pipe()).deadline(30s);
  NR_CO_TRY(program, co_await engine.spawn(command));
  const std::string prompt = co_await expect(program, "name? ");
  std::printf("%s\n", prompt.c_str());
  (void)co_await program.write("world\n");
  const std::string greeting = co_await expect(program, "waiting\r\n");
  std::printf("%s", greeting.c_str());
  const nr::WindowSize larger = {.rows = 50, .columns = 132};
  (void)co_await program.resize(larger);
  const std::string grown = co_await expect(program, "132\r\n");
  std::printf("%s", grown.c_str());
  co_return co_await program.wait();
}

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;
  auto ended = nr::blocking::get(*engine, talk(*engine));
  if (!ended) return std::fprintf(stderr, "%s\n", ended.error().message().c_str()), 1;
  return ended->success() ? 0 : 1;
}
