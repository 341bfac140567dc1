#pragma once
/// The other side of HostProgram: how a program of tests/hosts tells what it saw. It uses no descriptor from 0 to 2.

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace tests {

/// Owner of the report file; one per host program, made first.
class HostReport {
 public:
  explicit HostReport(const char* path) {
    const int low = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    fd_ = fcntl(low, F_DUPFD_CLOEXEC, 100);
    if (low >= 0) close(low);
    if (fd_ < 0) std::_Exit(70);
  }
  HostReport(const HostReport&) = delete;
  HostReport& operator=(const HostReport&) = delete;
  ~HostReport() { close(fd_); }

  [[gnu::format(printf, 2, 3)]] void say(const char* format, ...) const {
    va_list arguments;
    va_start(arguments, format);
    vdprintf(fd_, format, arguments);
    va_end(arguments);
    (void)!write(fd_, "\n", 1);
  }
  /// A condition that must hold: the report says where it didn't, and the program goes on.
  void check(bool holds, const char* condition, const char* file, int line) {
    if (holds) return;
    say("%s:%d: false: %s (errno %d)", file, line, condition, errno);
    failed_ = true;
  }
  void fail(const std::string& what) {
    say("failed: %s", what.c_str());
    failed_ = true;
  }
  /// What main returns.
  [[nodiscard]] int exit_code() const { return failed_ ? 1 : 0; }

 private:
  int fd_ = -1;
  bool failed_ = false;
};

/// main of a host: argv[1] is the report; what `body(report, argc, argv)` throws is reported.
template <class Body>
int host_main(int argc, char** argv, Body body) {
  if (argc < 2) return 70;
  HostReport report(argv[1]);
  try {
    body(report, argc, argv);
  } catch (const std::exception& error) {
    report.fail(error.what());
  }
  return report.exit_code();
}

}  // namespace tests

#define HOST_CHECK(condition) report.check(static_cast<bool>(condition), #condition, __FILE__, __LINE__)
