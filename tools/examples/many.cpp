/// A thousand commands at once, a coroutine each; no thread per command, no pool of workers.

#include <algorithm>
#include <cstdio>
#include <latch>
#include <netrunner/netrunner.hpp>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace nr = netrunner;

namespace {

constexpr std::size_t count = 1000;

struct Answer {
  std::string text;
  bool right = false;
};

nr::Task<void> one(nr::Engine& engine, std::size_t number, Answer& answer, std::latch& left) {
  const std::string name = std::to_string(number);
  const auto completed = co_await engine.capture(nr::Command{"sh", "-c", "sleep 1; echo $0", name});
  answer.text = completed ? completed->out.text() : completed.error().message();
  answer.right = answer.text == name + "\n";
  left.count_down();
}

/// Two pipes and a pidfd per captured command. The commands get the limit that was in force when the engine was opened.
void allow_descriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;
  allow_descriptors();

  std::vector<Answer> answers(count);
  std::latch left(count);
  for (std::size_t i = 0; i < count; ++i) nr::start_detached(one(*engine, i, answers[i], left));
  left.wait();

  const auto right = std::ranges::count(answers, true, &Answer::right);
  for (const Answer& answer : answers) {
    if (!answer.right) return std::fprintf(stderr, "not as expected: %s\n", answer.text.c_str()), 1;
  }
  std::printf("%td commands ran at once and each gave its answer\n", right);
}
