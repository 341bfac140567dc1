/// The lines of <netrunner/netrunner.h>.

#include <netrunner/lines.hpp>

#include "engine/api/c_bridge.hpp"

struct nr_lines {
  netrunner::LineReader reader;
};

namespace c = netrunner::c;

static_assert(NR_LINE_CUT == static_cast<int>(netrunner::LineEnd::cut));

extern "C" {

nr_lines* nr_lines_new(nr_process* process, int stream, size_t bytes_max) {
  NR_ASSERT(process != nullptr);
  const std::size_t most = bytes_max == 0 ? netrunner::LineSplitter::bytes_max_default : bytes_max;
  if (stream == NR_ANY) return new nr_lines{netrunner::LineReader::of_all(process->process, most)};
  return new nr_lines{netrunner::LineReader(process->process, static_cast<netrunner::Stream>(stream), most)};
}

nr_code nr_lines_next(nr_lines* lines, int64_t timeout_ns, nr_line* line, nr_error* error) {
  NR_ASSERT(lines != nullptr && line != nullptr);
  if (line->size == 0) return c::fail(c::invalid("nr_line.size", "initialize it with NR_LINE_INIT"), error);
  const auto next = netrunner::blocking::next(lines->reader, c::deadline_of(timeout_ns));
  if (!next) return c::fail(next.error(), error);
  nr_line ours{};
  if (*next) {
    const netrunner::Line& found = **next;
    ours.text = found.text.empty() ? "" : found.text.data();
    ours.bytes = found.text.size();
    ours.end = static_cast<nr_line_end>(found.end);
    ours.continues = found.continues;
    ours.stream = static_cast<int>(found.stream);
  }
  c::give(ours, line);
  return NR_OK;
}

void nr_lines_free(nr_lines* lines) { delete lines; }

}  // extern "C"
