#include "engine/daemon/line_sink.hpp"

#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "engine/daemon/rotated_file.hpp"
#include "engine/daemon/text.hpp"

namespace netrunner::daemon {
namespace {

class Discard final : public LineSink {
 public:
  void put(const DaemonLine& /*line*/) override {}
};

/// The host's own stdout and stderr, which others share.
class Standard final : public LineSink {
 public:
  void put(const DaemonLine& line) override {
    const int fd = line.stream == Stream::err ? STDERR_FILENO : STDOUT_FILENO;
    if (fd != fd_) flush();
    fd_ = fd;
    gathered_ += line.text;
    if (line.end == LineEnd::crlf) gathered_ += '\r';
    if (line.end == LineEnd::crlf || line.end == LineEnd::newline) gathered_ += '\n';
    ++lines_;
    if (gathered_.size() >= flush_bytes) flush();
  }
  void flush() override {
    std::string_view left = gathered_;
    while (!left.empty()) {
      const ssize_t written = ::write(fd_, left.data(), left.size());
      if (written > 0) {
        left.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EAGAIN) {
        pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
        (void)::poll(&ready, 1, -1);
      } else if (errno != EINTR) {
        counts_.dropped_lines += lines_;
        counts_.last_error = system_error(fd_ == STDERR_FILENO ? "stderr" : "stdout").message();
        break;
      }
    }
    gathered_.clear();
    lines_ = 0;
  }
  void add_to(LogStats& stats) const override {
    stats.dropped_lines += counts_.dropped_lines;
    if (!counts_.last_error.empty()) stats.last_error = counts_.last_error;
  }

 private:
  static constexpr std::size_t flush_bytes = std::size_t{64} * 1024;
  int fd_ = STDOUT_FILENO;
  std::uint64_t lines_ = 0;
  std::string gathered_;
  LogStats counts_;
};

class Files final : public LineSink {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LineSink>> open(const DaemonOptions& options) {
    auto sink = std::make_unique<Files>();
    const DaemonOutput& output = options.output;
    const std::uint32_t files = has_number(output.path()) ? options.instances : 1;
    for (std::uint32_t i = 0; i < files; ++i) {
      NR_TRY(file, RotatedFile::open(with_number(output.path(), i), output.rotation()));
      sink->files_.push_back(std::move(file));
    }
    for (std::uint32_t i = 0; i < options.instances; ++i) {
      sink->prefixes_.push_back(with_number(output.prefix_text(), i));
    }
    return sink;
  }
  void put(const DaemonLine& line) override {
    RotatedFile& file = *files_[files_.size() == 1 ? 0 : line.instance];
    file.put(prefixes_[line.instance], line.text, line.end == LineEnd::crlf ? "\r\n" : "\n");
  }
  void flush() override {
    for (const auto& file : files_) file->flush();
  }
  void reopen() override {
    for (const auto& file : files_) file->reopen();
  }
  void add_to(LogStats& stats) const override {
    for (const auto& file : files_) file->add_to(stats);
  }

 private:
  std::vector<std::unique_ptr<RotatedFile>> files_;  ///< One for all instances, or one for each.
  std::vector<std::string> prefixes_;
};

class ToLogger final : public LineSink {
 public:
  explicit ToLogger(const DaemonOptions& options) : logger_(options.output.target()) {
    for (std::uint32_t i = 0; i < options.instances; ++i) {
      prefixes_.push_back(with_number(options.output.prefix_text(), i));
    }
  }
  void put(const DaemonLine& line) override {
    const LogLevel level = line.stream == Stream::err ? LogLevel::warning : LogLevel::info;
    if (!logger_.wants(level)) return;
    const std::string& prefix = prefixes_[line.instance];
    if (prefix.empty()) return logger_.log(level, line.text);
    text_ = prefix;
    text_ += line.text;
    logger_.log(level, text_);
  }

 private:
  Logger logger_;
  std::vector<std::string> prefixes_;
  std::string text_;
};

class ToCallback final : public LineSink {
 public:
  explicit ToCallback(std::function<void(const DaemonLine&)> take) : take_(std::move(take)) {}
  void put(const DaemonLine& line) override { take_(line); }

 private:
  std::function<void(const DaemonLine&)> take_;
};

}  // namespace

Result<std::unique_ptr<LineSink>> make_sink(const DaemonOptions& options) {
  switch (options.output.kind()) {
    case DaemonOutput::Kind::inherit: return std::make_unique<Standard>();
    case DaemonOutput::Kind::discard: return std::make_unique<Discard>();
    case DaemonOutput::Kind::file: return Files::open(options);
    case DaemonOutput::Kind::logger: return std::make_unique<ToLogger>(options);
    case DaemonOutput::Kind::lines: return std::make_unique<ToCallback>(options.output.taker());
  }
  return std::make_unique<Discard>();
}

}  // namespace netrunner::daemon
