#pragma once
/// The output of one stream of a job, kept until the job may be printed.

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

namespace netrunner::tool {

/// The memory that all spools of a run may use together. Any thread.
class SpoolBudget {
 public:
  explicit SpoolBudget(std::uint64_t bytes) : free_(bytes) {}
  [[nodiscard]] bool take(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);

 private:
  std::mutex mutex_;
  std::uint64_t free_;
};

/// In memory up to a bound, beyond it in a file without a name: nothing is lost, and memory stays bounded. Where no
/// file can be made, memory is the lesser evil up to a second bound. A file system that is full ends it.
/// Owner: a job. One thread at a time.
class OutputSpool {
 public:
  static constexpr std::uint64_t memory_bytes_max = std::uint64_t{1024} * 1024;
  static constexpr std::uint64_t without_file_bytes_max = std::uint64_t{64} * 1024 * 1024;

  explicit OutputSpool(SpoolBudget& budget) : budget_(budget) {}
  ~OutputSpool();
  OutputSpool(const OutputSpool&) = delete;
  OutputSpool& operator=(const OutputSpool&) = delete;

  /// 0, or the errno of what keeps it from being kept: this and all that follows is lost then.
  [[nodiscard]] int append(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] bool in_file() const noexcept { return fd_ >= 0; }
  /// The first part: copies the file. 0, or the errno of the write that failed (of the read: EIO).
  [[nodiscard]] int copy_file_to(int fd) const;
  /// The second: what is in memory.
  [[nodiscard]] std::string_view in_memory() const noexcept { return memory_; }

 private:
  [[nodiscard]] bool fits(std::uint64_t bytes);
  [[nodiscard]] bool move_to_file();
  void keep(std::string_view bytes);

  SpoolBudget& budget_;
  std::string memory_;
  std::uint64_t size_ = 0, taken_ = 0;
  int fd_ = -1;
  int failed_ = 0;
};

}  // namespace netrunner::tool
