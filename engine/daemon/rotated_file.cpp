#include "engine/daemon/rotated_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "engine/daemon/limits.hpp"

namespace netrunner::daemon {
namespace {

constexpr mode_t new_file_mode = 0666;  // Before the umask.

/// Bytes written before an error ended it; errno is that error.
std::size_t write_most(int fd, std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t now = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (now > 0) {
      written += static_cast<std::size_t>(now);
    } else if (now == 0 || errno != EINTR) {
      break;
    }
  }
  return written;
}

}  // namespace

Result<std::unique_ptr<RotatedFile>> RotatedFile::open(std::string path, const Rotation& rotation) {
  std::unique_ptr<RotatedFile> file(new RotatedFile(std::move(path), rotation));
  NR_TRY(opened, file->open_file());
  (void)file->take(std::move(opened));
  return file;
}

Result<Descriptor> RotatedFile::open_file() const {
  // O_NONBLOCK for the open alone: a fifo without a reader is an error, not a wait.
  Descriptor opened(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                           new_file_mode));
  if (!opened) return std::unexpected(system_error("log file " + path_, Stage::open_file));
  (void)::fcntl(opened.get(), F_SETFL, O_APPEND);
  return opened;
}

/// False: it stays with the old one.
bool RotatedFile::take(Result<Descriptor> opened) {
  if (!opened) {
    note(opened.error());
    retry_ns_ = Deadline::after(file_retry).monotonic_ns();
    return false;
  }
  struct stat status {};
  file_ = std::move(*opened);
  const bool known = ::fstat(file_.get(), &status) == 0;
  is_regular_ = known && S_ISREG(status.st_mode);
  written_bytes_ = known ? static_cast<std::uint64_t>(status.st_size) : 0;
  return true;
}

void RotatedFile::note(const Error& error) { counts_.last_error = error.message(); }

void RotatedFile::put(std::string_view prefix, std::string_view text, std::string_view end) {
  const std::uint64_t line_bytes = prefix.size() + text.size() + end.size();
  const std::uint64_t size = written_bytes_ + gathered_.size();
  const bool full = size != 0 && line_bytes > rotation_.bytes_max - std::min(size, rotation_.bytes_max);
  if (full && is_regular_ && Deadline::now_ns() >= retry_ns_) {
    flush();
    rotate();
  }
  gathered_ += prefix;
  gathered_ += text;
  gathered_ += end;
  if (gathered_.size() >= gathered_bytes_max) flush();
}

void RotatedFile::flush() {
  if (gathered_.empty()) return;
  struct stat status {};
  if (is_regular_ && ::fstat(file_.get(), &status) == 0) {
    written_bytes_ = static_cast<std::uint64_t>(status.st_size);  // Others may append, or have cut it.
    if (status.st_nlink == 0) come_back();
  }
  const std::size_t written = write_most(file_.get(), gathered_);
  if (written < gathered_.size()) {
    note(system_error("log file " + path_, Stage::none, errno));
    const std::size_t newline = std::string_view(gathered_).substr(0, written).rfind('\n');
    const std::size_t whole = newline == std::string::npos ? 0 : newline + 1;
    if (written > whole) take_back(written - whole, written_bytes_ + written);
    drop(whole);
    written_bytes_ += whole;
  } else {
    written_bytes_ += written;
  }
  gathered_.clear();
}

void RotatedFile::drop(std::size_t from) {
  const auto begin = gathered_.begin() + static_cast<std::ptrdiff_t>(from);
  counts_.dropped_lines += static_cast<std::uint64_t>(std::count(begin, gathered_.end(), '\n'));
}

/// Half a line is taken back, unless somebody else wrote before or behind it meanwhile: then the file doesn't end where
/// our own write would have ended it.
void RotatedFile::take_back(std::size_t bytes, std::uint64_t end_bytes) const {
  struct stat status {};
  if (!is_regular_ || ::fstat(file_.get(), &status) != 0) return;
  if (static_cast<std::uint64_t>(status.st_size) != end_bytes) return;
  (void)!::ftruncate(file_.get(), static_cast<off_t>(end_bytes - bytes));
}

/// The file was removed: what is written there nobody will read.
void RotatedFile::come_back() {
  if (Deadline::now_ns() < retry_ns_) return;
  if (take(open_file())) {
    ++counts_.reopened;
  } else {
    ++counts_.reopens_failed;
  }
}

void RotatedFile::reopen() {
  flush();
  if (take(open_file())) {
    ++counts_.reopened;
  } else {
    ++counts_.reopens_failed;
  }
}

void RotatedFile::rotate() {
  if (written_bytes_ == 0) return;  // Nothing of it could be written.
  Result<Descriptor> next = open_next();
  const Result<void> shifted = next ? shift_names() : Result<void>(std::unexpected(next.error()));
  if (shifted) {
    ++counts_.rotations;
    (void)take(std::move(next));
    return;
  }
  ++counts_.rotations_failed;
  retry_ns_ = Deadline::after(file_retry).monotonic_ns();
  note(shifted.error());
}

/// The new file, under a name of its own until the old one has moved.
Result<Descriptor> RotatedFile::open_next() const {
  const std::string name = path_ + ".next";
  (void)::unlink(name.c_str());
  Descriptor next(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, new_file_mode));
  if (!next) return std::unexpected(system_error("log file " + name, Stage::open_file));
  struct stat old {};
  if (::fstat(file_.get(), &old) == 0) {
    (void)!::fchown(next.get(), old.st_uid, old.st_gid);
    (void)::fchmod(next.get(), old.st_mode & 07777);
  }
  return next;
}

Result<void> RotatedFile::shift_names() const {
  const std::string next = path_ + ".next";
  const auto all = [&]() -> Result<void> {
    for (std::uint32_t number = rotation_.files; number > 1; --number) {
      NR_TRY_VOID(move(full(number - 1), full(number)));
    }
    if (rotation_.files != 0) NR_TRY_VOID(move(path_, full(1)));
    if (::rename(next.c_str(), path_.c_str()) == 0) return {};
    Error error = system_error("log file " + path_, Stage::none);
    if (rotation_.files != 0) (void)move(full(1), path_);
    return std::unexpected(std::move(error));
  };
  Result<void> done = all();
  if (!done) (void)::unlink(next.c_str());
  return done;
}

Result<void> RotatedFile::move(const std::string& from, const std::string& to) const {
  if (::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
  return std::unexpected(system_error("log file " + from + " to " + to, Stage::none));
}

void RotatedFile::add_to(LogStats& stats) const {
  stats.rotations += counts_.rotations;
  stats.reopened += counts_.reopened;
  stats.rotations_failed += counts_.rotations_failed;
  stats.reopens_failed += counts_.reopens_failed;
  stats.dropped_lines += counts_.dropped_lines;
  if (!counts_.last_error.empty()) stats.last_error = counts_.last_error;
}

}  // namespace netrunner::daemon
