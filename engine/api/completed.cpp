#include <string>

#include <netrunner/blocking.hpp>
#include <netrunner/engine.hpp>

namespace netrunner {
namespace {

constexpr std::size_t quoted_bytes_max = 1024;

std::string last_words(const Captured& err) {
  std::string words = err.tail.empty() ? err.head : err.tail;
  if (words.size() > quoted_bytes_max) words.erase(0, words.size() - quoted_bytes_max);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

}  // namespace

std::string Captured::text() const {
  if (!truncated()) return head + tail;
  const std::uint64_t missing = total_bytes - head.size() - tail.size();
  return head + "\n[" + std::to_string(missing) + " bytes left out]\n" + tail;
}

std::vector<CapturedPiece> Completed::interleaved() const {
  std::vector<CapturedPiece> pieces;
  std::size_t out_at = 0, err_at = 0;
  for (const CapturedRun& run : runs) {
    const bool is_err = run.stream == Stream::err;
    std::size_t& at = is_err ? err_at : out_at;
    pieces.push_back({run.stream, std::string_view(is_err ? err.head : out.head).substr(at, run.bytes)});
    at += run.bytes;
  }
  return pieces;
}

Result<void> Completed::check() const {
  if (success()) return {};
  Error error;
  error.subject = "the command " + to_string(ended.status);
  if (ended.reason != EndReason::exited && ended.reason != EndReason::signaled) {
    error.subject.append(", reason ").append(name_of(ended.reason));
    if (ended.reason == EndReason::deadline) error.code = ErrorCode::timed_out;
  }
  if (const std::string words = last_words(err); !words.empty()) error.advice = "stderr: " + words;
  return std::unexpected(std::move(error));
}

}  // namespace netrunner

namespace netrunner::blocking {

Result<std::string> read_all(Process& process, Stream stream) {
  std::string all;
  for (;;) {
    NR_TRY(chunk, read(process, stream));
    if (!chunk) return all;
    all.append(chunk->text());
  }
}

}  // namespace netrunner::blocking
