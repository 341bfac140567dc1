#include "tests/support/host_program.hpp"

#include <cerrno>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"

namespace tests {

HostProgram::HostProgram(std::string_view name, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {host_path(name), folder_ / "report"});
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  if (posix_spawn(&pid_, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0) {
    throw std::runtime_error("posix_spawn: " + arguments[0]);
  }
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd_ < 0) throw std::runtime_error("pidfd_open: " + arguments[0]);
}

HostProgram::~HostProgram() {
  if (pid_ > 0) {
    kill();
    (void)wait();
  }
  close(pidfd_);
}

testing::AssertionResult HostProgram::reports(std::string_view line) const {
  testing::AssertionResult found = eventually([&] { return report().find(line) != std::string::npos; });
  if (!found) found << "\nthe report has no \"" << line << "\":\n" << report();
  return found;
}

std::vector<pid_t> HostProgram::reported(std::string_view key) const {
  std::vector<pid_t> pids;
  std::istringstream words(report());
  for (std::string word; words >> word;) {
    pid_t pid = -1;
    if (word == key && words >> pid) pids.push_back(pid);
  }
  return pids;
}

void HostProgram::kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

int HostProgram::wait(netrunner::Nanoseconds limit) {
  if (pid_ <= 0) return -1;
  pollfd ended{.fd = pidfd_, .events = POLLIN, .revents = 0};
  const auto limit_ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience(limit)).count();
  if (poll(&ended, 1, static_cast<int>(limit_ms)) == 0) kill();
  int status = -1;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return status;
}

testing::AssertionResult host_succeeds(std::string_view name, std::vector<std::string> arguments) {
  HostProgram host(name, std::move(arguments));
  const int status = host.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << name << " ended with wait status " << status << ", report:\n" << host.report();
}

}  // namespace tests
