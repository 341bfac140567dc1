#pragma once
/// Standard output and standard error of `netrunner each`: few writes, and the order kept between the two.

#include <string>
#include <string_view>

#include "tools/netrunner/output_spool.hpp"

namespace netrunner::tool {

/// Owner and thread: the printer's. Both may lead to the same place, so what is buffered for one is written before
/// anything goes to the other.
class OutputWriter {
 public:
  void put(int fd, std::string_view bytes);
  void put(int fd, const OutputSpool& spool);
  void flush();
  /// Of standard output: the errno of the first write that failed, or 0. Nothing more is written to it then.
  [[nodiscard]] int failed() const noexcept { return failed_; }

 private:
  void turn_to(int fd);
  void note(int failed) noexcept;
  [[nodiscard]] bool is_broken() const noexcept;

  std::string buffer_;
  int fd_ = -1;
  int failed_ = 0;
};

}  // namespace netrunner::tool
