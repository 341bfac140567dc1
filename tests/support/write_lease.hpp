#pragma once
/// A program whose exec(2) does not return: this process holds a write lease on it, and the kernel waits for that
/// (fcntl(2), F_SETLEASE; for 45 s at most). It needs no slow file system and no privilege but to own the file.

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>

#include "tests/support/temp_folder.hpp"

namespace tests {

class WriteLease {
 public:
  WriteLease() : path_(folder_ / "slow-true") {
    std::filesystem::copy_file("/bin/true", path_);
    std::filesystem::permissions(path_, std::filesystem::perms(0755));
    fd_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    fcntl(fd_, F_SETSIG, SIGURG);  // Ignored by default, unlike SIGIO.
    held_ = fcntl(fd_, F_SETLEASE, F_WRLCK) == 0;
    errno_ = held_ ? 0 : errno;
  }
  WriteLease(const WriteLease&) = delete;
  WriteLease& operator=(const WriteLease&) = delete;
  ~WriteLease() { release(); }

  [[nodiscard]] bool held() const { return held_; }
  [[nodiscard]] int sys_errno() const { return errno_; }
  [[nodiscard]] const std::string& program() const { return path_; }
  /// Whoever waits in exec goes on.
  void release() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
    held_ = false;
  }

 private:
  TempFolder folder_;
  std::string path_;
  int fd_ = -1;
  int errno_ = 0;
  bool held_ = false;
};

}  // namespace tests

#define SKIP_WITHOUT_LEASE(lease)                                                                \
  if (!(lease).held()) GTEST_SKIP() << "this file system has no leases (fcntl(2) F_SETLEASE): errno " \
                                    << (lease).sys_errno()
