/// A coroutine reads 64 MiB through a window of 64 KiB: however slow it is, no more than that is ever in memory.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <netrunner/netrunner.hpp>
#include <thread>

namespace nr = netrunner;
using namespace netrunner::literals;

namespace {

constexpr std::uint64_t size = 64_MiB, window = 64_KiB;

nr::Task<nr::Result<nr::Ended>> receive(nr::Engine& engine, std::uint64_t& received) {
  const nr::Command head("head", "-c", std::to_string(size), "/dev/zero");
  NR_CO_TRY(process, co_await engine.spawn(head.out(nr::Stdio::pipe().window(window))));
  for (;;) {
    NR_CO_TRY(chunk, co_await process.read());
    if (!chunk) break;  // End of output.
    received += chunk->size();
    // A slow consumer: meanwhile the pipe fills and `head` blocks in write(2). Letting go of the chunk, at the end of
    // this round, gives its bytes back to the window.
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  co_return co_await process.wait();
}

}  // namespace

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;
  std::uint64_t received = 0;
  const auto ended = nr::blocking::get(receive(*engine, received));
  if (!ended) return std::fprintf(stderr, "%s\n", ended.error().message().c_str()), 1;
  const std::uint64_t peak = nr::blocking::get(engine->stats()).buffered_bytes_peak();
  std::printf("head %s; received %llu bytes, never more than %llu in memory\n", nr::to_string(ended->status).c_str(),
              static_cast<unsigned long long>(received), static_cast<unsigned long long>(peak));
  return ended->success() && received == size && peak <= window ? 0 : 1;
}
