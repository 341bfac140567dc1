#pragma once
/// Output by lines, of bounded length: what is longer comes in flagged pieces, never as an error, and no byte is lost.

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netrunner/awaitable.hpp>
#include <netrunner/chunk.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/error.hpp>
#include <netrunner/limits.hpp>
#include <netrunner/process.hpp>
#include <netrunner/stdio.hpp>

namespace netrunner {

/// What followed the text of a line.
enum class LineEnd : std::uint8_t {
  newline,  ///< "\n".
  crlf,     ///< "\r\n". A "\r" elsewhere is part of the text.
  none,     ///< End of output: a last line without an end.
  cut,      ///< Nothing: the line is longer than the bound and goes on in the next piece.
};

struct Line {
  std::string_view text;      ///< Without its end; lives until the next line is asked for.
  LineEnd end = LineEnd::newline;
  bool continues = false;     ///< It goes on from the piece before it (of the same stream).
  Stream stream = Stream::out;
  [[nodiscard]] bool whole() const noexcept { return !continues && end != LineEnd::cut; }
};

/// Bytes to lines: pure, for bytes from anywhere. What it keeps is at most `bytes_max` + 1 bytes, and the view that it
/// was fed last.
class LineSplitter {
 public:
  static constexpr std::size_t bytes_max_default = 64 * KiB;
  /// `bytes_max`: of the text of one piece, 1 or more.
  explicit LineSplitter(std::size_t bytes_max = bytes_max_default) noexcept
      : bytes_max_(bytes_max == 0 ? 1 : bytes_max) {}

  /// The next bytes; borrowed until next() gave none.
  void feed(std::string_view bytes) noexcept { fed_ = bytes; }
  /// The next line; none: feed it.
  [[nodiscard]] std::optional<Line> next();
  /// The end of the bytes: the last line, if it had no end. Ask again until there is none.
  [[nodiscard]] std::optional<Line> finish();

 private:
  [[nodiscard]] Line cut(std::string_view text) noexcept;
  [[nodiscard]] std::string_view first(std::size_t bytes);

  std::size_t bytes_max_;
  std::string_view fed_;
  std::string kept_;       ///< The beginning of a line whose end has not been fed.
  std::size_t handed_ = 0; ///< Of kept_: what the last line was.
  bool continues_ = false;
};

/// The lines of one output stream of a command, or of several in the order in which their bytes arrived. One at a time
/// asks; nobody else reads these streams meanwhile. Owner: the consumer; the Process must outlive it and stay where it
/// is. A chunk is let go when its last line was taken: a slow consumer slows the command, as with Process::read.
class LineReader {
 public:
  explicit LineReader(Process& process, Stream stream = Stream::out,
                      std::size_t bytes_max = LineSplitter::bytes_max_default);
  /// Of all output streams: Line::stream tells them apart (see Process::read_any on order).
  [[nodiscard]] static LineReader of_all(Process& process, std::size_t bytes_max = LineSplitter::bytes_max_default);

  class Next;
  /// `co_await`: Result<std::optional<Line>>; no value: end of output.
  [[nodiscard]] Next next() noexcept;
 private:
  friend Result<std::optional<Line>> blocking_next(LineReader& lines, Deadline deadline);
  struct Source {
    Stream stream;
    LineSplitter splitter;
  };
  LineReader(Process& process, std::size_t bytes_max) noexcept : process_(&process), bytes_max_(bytes_max) {}
  [[nodiscard]] LineSplitter& splitter(Stream stream);
  /// False: bytes are needed.
  [[nodiscard]] bool take_ready();
  void keep(Result<std::optional<StreamChunk>> read);
  [[nodiscard]] Result<std::optional<Line>> take();

  Process* process_;
  std::optional<Stream> only_;
  std::size_t bytes_max_;
  std::vector<Source> sources_;
  Chunk chunk_;                  ///< What the splitters' view is of.
  Stream of_chunk_ = Stream::out;
  std::optional<Line> ready_;
  std::optional<Error> error_;
  bool ended_ = false;
};

/// A line that is awaited. Reads as often as it must, without a coroutine of its own; dropped while it waits, it
/// withdraws its read, and no byte is lost.
class [[nodiscard]] LineReader::Next {
 public:
  explicit Next(LineReader& reader) noexcept : reader_(reader) {}
  Next(const Next&) = delete;
  Next& operator=(const Next&) = delete;
  [[nodiscard]] bool await_ready() { return reader_.take_ready(); }
  [[nodiscard]] bool await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    return !read_on();
  }
  [[nodiscard]] Result<std::optional<Line>> await_resume() { return reader_.take(); }

 private:
  /// True: the line is here; false: a read is under way, and this may be in use by another thread already.
  [[nodiscard]] bool read_on();
  void read_done();
  [[nodiscard]] detail::Verb& next_read();

  LineReader& reader_;
  std::coroutine_handle<> waiter_;
  std::optional<Awaitable<std::optional<Chunk>>> one_;
  std::optional<Awaitable<std::optional<StreamChunk>>> any_;
};

inline LineReader::Next LineReader::next() noexcept { return Next(*this); }

[[nodiscard]] Result<std::optional<Line>> blocking_next(LineReader& lines, Deadline deadline);

namespace blocking {
/// The same for a plain thread. Past the deadline: timed_out, and nothing is lost.
[[nodiscard]] inline Result<std::optional<Line>> next(LineReader& lines, Deadline deadline = Deadline::never()) {
  return blocking_next(lines, deadline);
}
}  // namespace blocking

}  // namespace netrunner
