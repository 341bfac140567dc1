#include "tools/netrunner/job_log.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {

std::string JobLog::failure(const char* advice) const {
  return "--joblog " + path_ + ": " + std::strerror(failed_) + "; " + advice;
}

Checked<void> JobLog::open(const std::string& path) {
  path_ = path;
  fd_ = path == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                    : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ < 0) failed_ = errno;
  lines_ = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";
  flush();
  if (failed_ != 0) return std::unexpected(failure("nothing was started; name a file that you may write."));
  return {};
}

Checked<void> JobLog::close() {
  if (fd_ < 0) return {};
  flush();
  if (::close(std::exchange(fd_, -1)) != 0 && failed_ == 0) failed_ = errno;
  if (failed_ != 0 && failed_ != EPIPE) return std::unexpected(failure("the log is not complete."));
  return {};
}

void JobLog::add(const Job& job) {
  if (fd_ < 0) return;
  // Host ':' is this machine, as parallel has it; nothing is sent to it, and received is what stdout had.
  std::array<char, 192> columns;
  std::snprintf(columns.data(), columns.size(), "%llu\t:\t%.3f\t%10.3f\t0\t%llu\t%d\t%d\t",
                static_cast<unsigned long long>(job.item.sequence), job.started_s, job.ran_s,
                static_cast<unsigned long long>(job.out.size()), job.exit_code, job.signal);
  lines_ += columns.data() + job.command + "\n";
}

void JobLog::flush() {
  if (fd_ >= 0 && failed_ == 0) failed_ = write_all(fd_, lines_);
  lines_.clear();
}

}  // namespace netrunner::tool
