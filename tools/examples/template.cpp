/// A Command is a value: one that is made once serves as template, and each start may override what it likes.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>

namespace nr = netrunner;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  // What all have in common. argv[0] is what the shell shows as $0.
  const auto base = nr::Command("sh", "-c", "echo $0 in $(pwd): $GREETING; exit $CODE")
                        .arg0("sh")
                        .clear_env()
                        .env("PATH", "/usr/bin:/bin")
                        .env("GREETING", "hello")
                        .env("CODE", "0")
                        .cwd("/")
                        .deadline(60s);

  int failed = 0;
  const auto show = [&](const nr::Command& command, const std::string& expected) {
    const auto completed = engine->run(command);
    if (!completed) return std::fprintf(stderr, "%s\n", completed.error().message().c_str()), void(++failed);
    std::printf("%s%s, %s\n", completed->out.text().c_str(), nr::to_string(completed->ended.status).c_str(),
                completed->success() ? "a success" : "no success");
    if (completed->out.text() != expected) ++failed;
  };
  show(base.arg("first"), "first in /: hello\n");
  show(base.arg("second").cwd("/usr").env("GREETING", "good day"), "second in /usr: good day\n");
  show(base.arg("third").env("CODE", "1").success_codes({0, 1}), "third in /: hello\n");
  show(base.arg("fourth").unset_env("GREETING"), "fourth in /:\n");
  return failed == 0 && base.spec().arguments.size() == 2 ? 0 : 1;  // The template is what it was.
}
