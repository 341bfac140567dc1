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
  ~JobLog();
  JobLog(const JobLog&) = delete;
  JobLog& operator=(const JobLog&) = delete;

  [[nodiscard]] Checked<void> open(const std::string& path);
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  void add(const Job& job);
  void flush();

 private:
  int fd_ = -1;
  std::string lines_;
};

}  // namespace netrunner::tool
