#include "tools/netrunner/output_spool.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {
namespace {

/// -1: there is none to be had.
int unnamed_file() {
  const char* chosen = std::getenv("TMPDIR");
  const std::string folder = chosen != nullptr && *chosen != '\0' ? chosen : "/tmp";
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  std::string name = folder + "/netrunner.XXXXXX";  // A file system without O_TMPFILE.
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) (void)::unlink(name.c_str());
  return named;
}

}  // namespace

bool SpoolBudget::take(std::uint64_t bytes) {
  const std::lock_guard guard(mutex_);
  if (bytes > free_) return false;
  free_ -= bytes;
  return true;
}

void SpoolBudget::give_back(std::uint64_t bytes) {
  const std::lock_guard guard(mutex_);
  free_ += bytes;
}

OutputSpool::~OutputSpool() {
  if (taken_ > 0) budget_.give_back(taken_);
  if (fd_ >= 0) (void)::close(fd_);
}

bool OutputSpool::fits(std::uint64_t bytes) {
  if (memory_.size() + bytes > memory_bytes_max || !budget_.take(bytes)) return false;
  taken_ += bytes;
  return true;
}

/// False: it stays in memory, as there is no file to be had.
bool OutputSpool::move_to_file() {
  fd_ = unnamed_file();
  if (fd_ < 0) return false;
  failed_ = write_all(fd_, memory_);
  std::string().swap(memory_);
  budget_.give_back(std::exchange(taken_, 0));
  return true;
}

void OutputSpool::keep(std::string_view bytes) {
  // A spool that was refused a file asks again at the next chunk: room may have been made meanwhile.
  const bool in_memory = fd_ < 0 && (fits(bytes.size()) || !move_to_file());
  if (!in_memory) {
    if (failed_ == 0) failed_ = write_all(fd_, bytes);
  } else if (memory_.size() + bytes.size() > without_file_bytes_max) {
    failed_ = ENOSPC;
  } else {
    memory_ += bytes;
  }
}

int OutputSpool::append(std::string_view bytes) {
  if (failed_ == 0 && !bytes.empty()) {
    keep(bytes);
    size_ += bytes.size();
  }
  return failed_;
}

int OutputSpool::copy_file_to(int fd) const {
  if (fd_ < 0) return 0;
  std::array<char, 65536> buffer;  // NOLINT: written before it is read.
  off_t at = 0;
  for (;;) {
    const ssize_t got = ::pread(fd_, buffer.data(), buffer.size(), at);
    if (got == 0) return 0;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return EIO;
    at += got;
    if (const int failed = write_all(fd, {buffer.data(), static_cast<std::size_t>(got)}); failed != 0) return failed;
  }
}

}  // namespace netrunner::tool
