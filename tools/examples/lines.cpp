/// Output by lines: of one stream in a coroutine, of both in order of arrival, and one stream to two receivers.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>

namespace nr = netrunner;

namespace {

nr::Task<nr::Result<int>> count_lines(nr::Engine& engine) {
  NR_CO_TRY(process, co_await engine.spawn(nr::Command{"seq", "1", "1000"}));
  nr::LineReader lines(process);
  int count = 0;
  for (;;) {
    NR_CO_TRY(line, co_await lines.next());
    if (!line) co_return count;
    if (line->whole()) ++count;  // A line over 64 KiB would come in pieces that say so.
  }
}

/// Each line of both streams, told apart.
nr::Result<void> label(nr::Engine& engine) {
  const auto build = nr::Command::shell("echo compiling; sleep 0.05; echo 'warning: unused' >&2; sleep 0.05; echo ok");
  NR_TRY(process, nr::blocking::spawn(engine, build.err(nr::Stdio::pipe())));
  auto lines = nr::LineReader::of_all(process);
  for (;;) {
    NR_TRY(line, nr::blocking::next(lines));
    if (!line) return {};
    std::printf("%s| %.*s\n", line->stream == nr::Stream::err ? "err" : "out", static_cast<int>(line->text.size()),
                line->text.data());
  }
}

/// One output into a string and into another command's stdin: the slower of the two sets the pace.
nr::Result<std::string> tee_to(nr::Engine& engine, std::string& copy) {
  NR_TRY(source, nr::blocking::spawn(engine, nr::Command{"seq", "1", "1000"}));
  NR_TRY(sum, nr::blocking::spawn(engine, nr::Command{"wc", "-l"}.in(nr::Stdio::pipe())));
  NR_TRY(teed, nr::blocking::get(nr::tee(source, {nr::sink_into(sum), nr::sink_into(copy)})));
  std::printf("%llu bytes went to both\n", static_cast<unsigned long long>(teed.bytes));
  return nr::blocking::read_all(sum);
}

}  // namespace

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;
  const auto count = nr::blocking::get(count_lines(*engine));
  const auto labelled = label(*engine);
  std::string copy;
  const auto sum = tee_to(*engine, copy);
  return count && *count == 1000 && labelled && sum && *sum == "1000\n" && copy.size() == 3893 ? 0 : 1;
}
