#include "tools/netrunner/output_pump.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include <netrunner/blocking.hpp>
#include <netrunner/lines.hpp>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {

void OutputPump::move_bytes(Process& process, Stream stream, int fd) {
  while (failed_ == 0) {
    const Result<std::optional<Chunk>> got = blocking::read(process, stream);
    if (!got || !*got) return;
    const Chunk& chunk = **got;
    if (record_ != nullptr) record_->output(chunk.bytes());
    failed_ = write_all(fd, chunk.bytes());
  }
}

void OutputPump::move_lines(Process& process, Stream stream, int fd) {
  constexpr std::array<std::string_view, 4> ends = {"\n", "\r\n", "", ""};  // As LineEnd has them.
  LineReader lines(process, stream);
  std::string written;
  while (failed_ == 0) {
    const Result<std::optional<Line>> got = blocking::next(lines);
    if (!got || !*got) return;
    const Line& line = **got;
    written = line.continues ? "" : prefix_;
    written.append(line.text).append(ends[static_cast<std::size_t>(line.end)]);
    if (record_ != nullptr) record_->output(std::as_bytes(std::span(written)));
    failed_ = write_all(fd, written);
  }
}

void OutputPump::move_all(Process& process, Stream stream, int fd) {
  prefix_.empty() ? move_bytes(process, stream, fd) : move_lines(process, stream, fd);
  if (failed_ == 0) return;
  [[maybe_unused]] const Result<void> closed = blocking::get(process.close_output(stream));
}

}  // namespace netrunner::tool
