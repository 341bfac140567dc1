/// Output that is kept within bounds, in the order in which it came, and told apart; read as it comes, whichever stream
/// has bytes first; and a silence that is too long.

#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <string>

namespace nr = netrunner;
using namespace netrunner::literals;
using namespace std::chrono_literals;

namespace {

nr::Task<nr::Result<nr::Ended>> follow(nr::Engine& engine, const nr::Command& command, std::string& heard) {
  NR_CO_TRY(process, co_await engine.spawn(command));
  for (;;) {
    NR_CO_TRY(next, co_await process.read_any());
    if (!next) break;  // Both have ended.
    heard += (next->stream == nr::Stream::out ? "out " : "err ") + std::string(next->chunk.text());
  }
  co_return co_await process.wait();
}

}  // namespace

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;
  const auto fail = [](const nr::Error& error) { return std::fprintf(stderr, "%s\n", error.message().c_str()), 1; };

  const auto talker = nr::Command::shell("echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three");
  const nr::CaptureLimits limits{.head_bytes = 64_KiB, .tail_bytes = 1_KiB, .order = nr::CaptureOrder::interleaved};
  const auto completed = engine->run(talker, limits);
  if (!completed) return fail(completed.error());
  for (const nr::CapturedPiece& piece : completed->interleaved()) {
    std::printf("%s: %.*s", piece.stream == nr::Stream::out ? "stdout" : "stderr", static_cast<int>(piece.text.size()),
                piece.text.data());
  }

  std::string heard;
  const auto both = talker.out(nr::Stdio::pipe().chunk(64)).err(nr::Stdio::pipe()).keep_order();
  if (const auto ended = nr::blocking::get(follow(*engine, both, heard)); !ended) return fail(ended.error());
  std::printf("%s", heard.c_str());

  // Stopped after 1,000 bytes, which are kept; and one that says nothing for too long.
  const auto flood = engine->run(nr::Command("yes").output_limit(1000));
  const auto silent = engine->run(nr::Command("sleep", "1000").idle_limit(200ms));
  if (!flood || !silent) return fail(flood ? silent.error() : flood.error());
  std::printf("yes: %s, %zu bytes; sleep: %s\n", nr::name_of(flood->ended.reason).data(), flood->out.text().size(),
              nr::name_of(silent->ended.reason).data());
  return heard == "out one\nerr two\nout three\n" && flood->out.text().size() == 1000 ? 0 : 1;
}
