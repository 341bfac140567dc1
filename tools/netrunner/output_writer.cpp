#include "tools/netrunner/output_writer.hpp"

#include <cstddef>
#include <unistd.h>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {
namespace {

constexpr std::size_t buffered_bytes_max = std::size_t{64} * 1024;

}  // namespace

bool OutputWriter::is_broken() const noexcept { return fd_ == STDOUT_FILENO && failed_ != 0; }

void OutputWriter::note(int failed) noexcept {
  int& first = fd_ == STDOUT_FILENO ? failed_ : err_failed_;
  if (first == 0) first = failed;
}

void OutputWriter::turn_to(int fd) {
  if (fd == fd_) return;
  flush();
  fd_ = fd;
}

void OutputWriter::put(int fd, std::string_view bytes) {
  if (bytes.empty()) return;
  turn_to(fd);
  if (is_broken()) return;
  if (buffer_.size() + bytes.size() > buffered_bytes_max) flush();
  if (bytes.size() > buffered_bytes_max) {
    note(write_all(fd_, bytes));
  } else {
    buffer_ += bytes;
  }
}

void OutputWriter::put(int fd, const OutputSpool& spool) {
  if (spool.in_file()) {
    turn_to(fd);
    flush();
    if (!is_broken()) note(spool.copy_file_to(fd));
  }
  put(fd, spool.in_memory());
}

void OutputWriter::flush() {
  if (!buffer_.empty() && !is_broken()) note(write_all(fd_, buffer_));
  buffer_.clear();
}

}  // namespace netrunner::tool
