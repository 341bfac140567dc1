#pragma once
/// Counters in a file that a child and the test both map: what the child has done, while it is doing it.

#include <array>
#include <atomic>
#include <cstdint>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace tests {

struct ProgressCounters {
  std::atomic<std::uint64_t> bytes;   ///< Moved so far, exactly: published after each write or read.
  std::atomic<std::uint64_t> calls;   ///< Writes or reads that moved bytes.
  std::atomic<std::uint64_t> go;      ///< Set by the test: the child may begin.
  std::atomic<std::uint64_t> begun;   ///< Set by the child: it runs.
  std::atomic<std::uint64_t> waited;  ///< Times that the child had to wait for its pipe.
};

/// Maps the file (and makes it, where it isn't there); null on failure. Never unmapped in a child.
[[nodiscard]] inline ProgressCounters* map_progress(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) return nullptr;
  void* memory = MAP_FAILED;
  if (ftruncate(fd, static_cast<off_t>(sizeof(ProgressCounters))) == 0) {
    memory = mmap(nullptr, sizeof(ProgressCounters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  close(fd);
  return memory == MAP_FAILED ? nullptr : static_cast<ProgressCounters*>(memory);
}

/// The test's side: a file in /dev/shm or /tmp, removed at the end.
class Progress {
 public:
  Progress() {
    for (std::string folder : {"/dev/shm", "/tmp"}) {
      path_ = folder + "/netrunner-progress-XXXXXX";
      const int fd = mkostemp(path_.data(), O_CLOEXEC);
      if (fd < 0) continue;
      close(fd);
      counters_ = map_progress(path_.c_str());
      if (counters_ != nullptr) return;
    }
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() {
    if (counters_ != nullptr) munmap(counters_, sizeof(ProgressCounters));
    unlink(path_.c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const { return counters_->bytes.load(); }
  [[nodiscard]] std::uint64_t calls() const { return counters_->calls.load(); }
  [[nodiscard]] std::uint64_t waited() const { return counters_->waited.load(); }
  [[nodiscard]] bool begun() const { return counters_->begun.load() != 0; }
  void go() { counters_->go.store(1); }

 private:
  std::string path_;
  ProgressCounters* counters_ = nullptr;
};

}  // namespace tests
