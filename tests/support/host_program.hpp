#pragma once
/// A program of tests/hosts: a whole host process of its own, for tests in which the host is odd or dies.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <netrunner/deadline.hpp>

#include "tests/support/temp_folder.hpp"

namespace tests {

/// Owner of one such process: killed and reaped with this object. It gets the path of its report as argv[1].
class HostProgram {
 public:
  explicit HostProgram(std::string_view name, std::vector<std::string> arguments = {});
  HostProgram(const HostProgram&) = delete;
  HostProgram& operator=(const HostProgram&) = delete;
  ~HostProgram();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string report() const { return file_text(folder_ / "report"); }
  /// The report says so by now, or will in time.
  [[nodiscard]] testing::AssertionResult reports(std::string_view line) const;
  /// What follows `key` in the report, wherever it stands there.
  [[nodiscard]] std::vector<pid_t> reported(std::string_view key) const;
  void kill(int signal = SIGKILL) const;
  /// Its wait status; killed when it takes too long (then the status says SIGKILL).
  [[nodiscard]] int wait(netrunner::Nanoseconds limit = std::chrono::seconds(60));

 private:
  TempFolder folder_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
};

/// Runs it to its end: success is exit code 0, and the report is in the message otherwise.
[[nodiscard]] testing::AssertionResult host_succeeds(std::string_view name, std::vector<std::string> arguments = {});

}  // namespace tests
