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
  /// The errno of the first write that failed, or 0: of standard output, to which nothing more is written then; of
  /// standard error, which may take the next.
  [[nodiscard]] int failed() const noexcept { return failed_; }
  [[nodiscard]] int err_failed() const noexcept { return err_failed_; }

 private:
  void turn_to(int fd);
  void note(int failed) noexcept;
  [[nodiscard]] bool is_broken() const noexcept;

  std::string buffer_;
  int fd_ = -1;
  int failed_ = 0, err_failed_ = 0;
};

}  // namespace netrunner::tool
