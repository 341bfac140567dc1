#include <netrunner/lines.hpp>

#include <algorithm>
#include <utility>

#include <netrunner/blocking.hpp>

namespace netrunner {

Line LineSplitter::cut(std::string_view text) noexcept {
  return {.text = text, .end = LineEnd::cut, .continues = std::exchange(continues_, true)};
}

std::optional<Line> LineSplitter::next() {
  kept_.erase(0, std::exchange(handed_, 0));
  // Further than the bound, "\r" and "\n" there is nothing to look for.
  const std::string_view near = fed_.substr(0, bytes_max_ - std::min(bytes_max_, kept_.size()) + 2);
  const std::size_t newline = near.find('\n');
  const bool ends = newline != std::string_view::npos;
  const std::string_view rest = near.substr(0, newline);
  // Of the text that is here: with "\r" at its end where "\n" follows, or where it may still follow.
  const bool has_return = rest.empty() ? kept_.ends_with('\r') : rest.ends_with('\r');
  const std::size_t text_bytes = kept_.size() + rest.size() - (has_return ? 1 : 0);
  if (text_bytes > bytes_max_) return cut(first(bytes_max_));
  if (!ends) {
    kept_.append(rest);
    fed_ = {};
    return std::nullopt;
  }
  Line line{.text = first(text_bytes),
            .end = has_return ? LineEnd::crlf : LineEnd::newline,
            .continues = std::exchange(continues_, false)};
  // What is left of it is its end: the "\r", on whichever side it lies, and the "\n".
  fed_.remove_prefix(fed_.find('\n') + 1);
  handed_ = kept_.size();
  return line;
}

/// The first bytes of what is kept and fed, in one piece.
std::string_view LineSplitter::first(std::size_t bytes) {
  if (kept_.empty()) {
    const std::string_view text = fed_.substr(0, bytes);
    fed_.remove_prefix(bytes);
    return text;
  }
  if (kept_.size() < bytes) {
    const std::size_t missing = bytes - kept_.size();
    kept_.append(fed_.substr(0, missing));
    fed_.remove_prefix(missing);
  }
  handed_ = bytes;
  return std::string_view(kept_).substr(0, bytes);
}

std::optional<Line> LineSplitter::finish() {
  if (std::optional<Line> line = next()) return line;
  if (kept_.empty()) return std::nullopt;
  if (kept_.size() > bytes_max_) return cut(first(bytes_max_));  // A "\r" that no "\n" follows is text.
  handed_ = kept_.size();
  return Line{.text = kept_, .end = LineEnd::none, .continues = std::exchange(continues_, false)};
}

LineReader::LineReader(Process& process, Stream stream, std::size_t bytes_max) : LineReader(process, bytes_max) {
  only_ = stream;
}

LineReader LineReader::of_all(Process& process, std::size_t bytes_max) { return {process, bytes_max}; }

LineSplitter& LineReader::splitter(Stream stream) {
  const auto found = std::ranges::find(sources_, stream, &Source::stream);
  if (found != sources_.end()) return found->splitter;
  return sources_.emplace_back(Source{stream, LineSplitter(bytes_max_)}).splitter;
}

bool LineReader::take_ready() {
  if (ready_ || error_) return true;
  if (!ended_) {
    if (chunk_.size() == 0) return false;
    ready_ = splitter(of_chunk_).next();
    if (ready_) {
      ready_->stream = of_chunk_;
    } else {
      chunk_ = Chunk();  // All of it was taken or kept: its credit goes back.
    }
    return ready_.has_value();
  }
  for (Source& source : sources_) {
    ready_ = source.splitter.finish();
    if (!ready_) continue;
    ready_->stream = source.stream;
    break;
  }
  return true;
}

void LineReader::keep(Result<std::optional<StreamChunk>> read) {
  if (!read) {
    error_ = std::move(read).error();
  } else if (!*read) {
    ended_ = true;
  } else {
    chunk_ = std::move((*read)->chunk);
    of_chunk_ = (*read)->stream;
    splitter(of_chunk_).feed(chunk_.text());
  }
}

namespace {

Result<std::optional<StreamChunk>> tagged(Result<std::optional<Chunk>> read, Stream stream) {
  if (!read) return std::unexpected(std::move(read).error());
  if (!*read) return std::nullopt;
  return StreamChunk{stream, *std::move(*read)};
}

}  // namespace

detail::Verb& LineReader::Next::next_read() {
  if (reader_.only_) return one_.emplace(reader_.process_->read(*reader_.only_));
  return any_.emplace(reader_.process_->read_any());
}

bool LineReader::Next::read_on() {
  do {
    detail::Verb& verb = next_read();
    verb.waiter = this;
    verb.on_done = [](detail::Verb& done) noexcept { static_cast<Next*>(done.waiter)->read_done(); };
    if (detail::start(verb)) return false;
    reader_.keep(one_ ? tagged(one_->await_resume(), *reader_.only_) : any_->await_resume());
  } while (!reader_.take_ready());
  return true;
}

void LineReader::Next::read_done() {
  reader_.keep(one_ ? tagged(one_->await_resume(), *reader_.only_) : any_->await_resume());
  if (reader_.take_ready() || read_on()) waiter_.resume();
}

Result<std::optional<Line>> LineReader::take() {
  if (error_) return std::unexpected(std::move(*std::exchange(error_, std::nullopt)));
  return std::exchange(ready_, std::nullopt);
}

Result<std::optional<Line>> blocking_next(LineReader& lines, Deadline deadline) {
  while (!lines.take_ready()) {
    if (lines.only_) {
      lines.keep(tagged(blocking::get(lines.process_->read(*lines.only_), deadline), *lines.only_));
    } else {
      lines.keep(blocking::get(lines.process_->read_any(), deadline));
    }
  }
  return lines.take();
}

}  // namespace netrunner
