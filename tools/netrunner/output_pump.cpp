#include "tools/netrunner/output_pump.hpp"

#include <optional>

#include <netrunner/blocking.hpp>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {

void OutputPump::move_all(Process& process, Stream stream, int fd) {
  for (;;) {
    const Result<std::optional<Chunk>> got = blocking::read(process, stream);
    if (!got) return;
    const std::optional<Chunk>& chunk = *got;
    if (!chunk) return;
    failed_ = write_all(fd, chunk->bytes());
    if (failed_ != 0) break;
  }
  [[maybe_unused]] const Result<void> closed = blocking::get(process.close_output(stream));
}

}  // namespace netrunner::tool
