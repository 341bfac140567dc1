#pragma once
/// The job log: one line per job in the order in which they end, with the columns of GNU parallel.

#include <string>

#include "tools/netrunner/job.hpp"
#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: each_command. Thread: the printer's.
class JobLog {
 public:
  JobLog() = default;
  ~JobLog() { (void)close(); }
  JobLog(const JobLog&) = delete;
  JobLog& operator=(const JobLog&) = delete;

  [[nodiscard]] Checked<void> open(const std::string& path);
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  void add(const Job& job);
  void flush();
  /// Writes the rest. An error, of this or of any line before, is for people.
  [[nodiscard]] Checked<void> close();

 private:
  [[nodiscard]] std::string failure(const char* advice) const;

  std::string path_;
  int fd_ = -1;
  int failed_ = 0;  ///< errno of the first write that did.
  std::string lines_;
};

}  // namespace netrunner::tool
