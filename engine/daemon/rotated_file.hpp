#pragma once
/// A log file that never holds half a line, whatever is done to it: rotated by size, renamed or removed by others,
/// on a full disk.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <netrunner/daemon.hpp>

#include "engine/daemon/descriptor.hpp"

namespace netrunner::daemon {

/// Owner: a sink; thread: the output's. Lines are gathered and written whole; a write that falls short (ENOSPC) is cut
/// back to the last whole line, and what is missing is counted. A rotation makes the new file first: where that or a
/// rename fails, writing goes on in the old one.
class RotatedFile {
 public:
  [[nodiscard]] static Result<std::unique_ptr<RotatedFile>> open(std::string path, const Rotation& rotation);
  RotatedFile(const RotatedFile&) = delete;
  RotatedFile& operator=(const RotatedFile&) = delete;
  ~RotatedFile() { flush(); }

  /// The pieces of one line; `end` has its newline.
  void put(std::string_view prefix, std::string_view text, std::string_view end = "\n");
  void flush();
  void reopen();
  void add_to(LogStats& stats) const;

 private:
  RotatedFile(std::string path, const Rotation& rotation) : path_(std::move(path)), rotation_(rotation) {}
  [[nodiscard]] Result<Descriptor> open_file() const;
  [[nodiscard]] bool take(Result<Descriptor> opened);
  void note(const Error& error);
  void drop(std::size_t from);
  void take_back(std::size_t bytes, std::uint64_t end_bytes) const;
  void come_back();
  void rotate();
  [[nodiscard]] Result<Descriptor> open_next() const;
  [[nodiscard]] Result<void> shift_names() const;
  [[nodiscard]] Result<void> move(const std::string& from, const std::string& to) const;
  [[nodiscard]] std::string full(std::uint32_t number) const { return path_ + "." + std::to_string(number); }

  std::string path_;
  Rotation rotation_;
  Descriptor file_;
  bool is_regular_ = true;
  std::uint64_t written_bytes_ = 0;  ///< Size of the file when it was looked at last, and what we wrote since.
  std::string gathered_;             ///< Whole lines, not written yet.
  std::int64_t retry_ns_ = 0;        ///< A file that can't be made is not tried at each line.
  LogStats counts_;
};

}  // namespace netrunner::daemon
