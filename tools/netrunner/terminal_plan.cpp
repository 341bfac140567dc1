#include "tools/netrunner/terminal_plan.hpp"

#include <limits>
#include <unistd.h>

namespace netrunner::tool {
namespace {

std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> words;
  std::size_t from = 0;
  for (std::size_t comma = text.find(','); comma != std::string::npos; comma = text.find(',', from)) {
    words.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  words.push_back(text.substr(from));
  return words;
}

Checked<std::vector<Stream>> streams_of(const std::string& text) {
  std::vector<Stream> streams;
  for (const std::string& word : split_at_commas(text)) {
    if (word == "in") {
      streams.push_back(Stream::in);
    } else if (word == "out") {
      streams.push_back(Stream::out);
    } else if (word == "err") {
      streams.push_back(Stream::err);
    } else {
      return std::unexpected("'" + word + "' is none of in, out, err (separated by commas).");
    }
  }
  return streams;
}

/// "50x132": rows, then columns, as stty(1) has them.
Checked<WindowSize> size_of(const std::string& text) {
  const std::size_t cross = text.find('x');
  const auto number = [](const std::string& part) {
    return whole_number(part, 1, std::numeric_limits<std::uint16_t>::max());
  };
  if (cross == std::string::npos) return std::unexpected("'" + text + "' has no x; write ROWSxCOLUMNS, as 24x80.");
  const auto rows = number(text.substr(0, cross)), columns = number(text.substr(cross + 1));
  if (!rows) return std::unexpected("rows: " + rows.error());
  if (!columns) return std::unexpected("columns: " + columns.error());
  WindowSize size;
  size.rows = static_cast<std::uint16_t>(*rows);
  size.columns = static_cast<std::uint16_t>(*columns);
  return size;
}

}  // namespace

void TerminalPlan::declare(Options& options) {
  options.flag("--pty", wanted_);
  options.flag("--pty-raw", raw_);
  options.value("--pty-streams", [this](const std::string& text) -> Checked<void> {
    auto streams = streams_of(text);
    if (!streams) return std::unexpected(std::move(streams).error());
    streams_ = *std::move(streams);
    streams_given_ = true;
    return {};
  });
  options.value("--winsize", [this](const std::string& text) -> Checked<void> {
    const auto size = size_of(text);
    if (!size) return std::unexpected(size.error());
    size_ = *size;
    return {};
  });
  options.value("--record", into(record_path_));
}

Checked<void> TerminalPlan::check() const {
  if (record_path_ == "-") return std::unexpected("--record: '-' is no file; stdout has the session itself.");
  if (wanted_) return {};
  const char* option = raw_ ? "--pty-raw" : streams_given_ ? "--pty-streams" : size_ ? "--winsize" : "--record";
  if (!raw_ && !streams_given_ && !size_ && record_path_.empty()) return {};
  return std::unexpected(std::string(option) + ": there is no terminal that it could be about; add --pty.");
}

Terminal TerminalPlan::terminal() const {
  Terminal terminal;
  terminal.size = size_ ? *size_ : OwnTerminal::size().value_or(WindowSize{});
  if (raw_) {
    terminal.modes = TerminalModes::raw();
  } else if (auto own = terminal_modes_of(STDIN_FILENO)) {
    terminal.modes = *std::move(own);
  }
  return terminal;
}

}  // namespace netrunner::tool
