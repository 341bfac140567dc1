#pragma once
/// What outlives SIGKILL: a process that the cgroup v1 freezer holds, until it is thawed.

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/types.h>
#include <system_error>
#include <unistd.h>

#include "tests/support/eventually.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {

/// Owner of a group of the v1 freezer. Thawed, it is empty as soon as its processes were killed.
class Freezer {
 public:
  Freezer() : path_("/sys/fs/cgroup/freezer/netrunner-unkillable-" + std::to_string(getpid())) {
    std::error_code error;
    std::filesystem::create_directory(path_, error);
    usable_ = !error && std::filesystem::exists(path_ / "freezer.state");
  }
  Freezer(const Freezer&) = delete;
  Freezer& operator=(const Freezer&) = delete;
  ~Freezer() {
    if (!usable_) return;
    thaw();
    std::error_code error;
    EXPECT_TRUE(eventually([&] { return std::filesystem::remove(path_, error); }));
  }
  [[nodiscard]] bool usable() const { return usable_; }
  [[nodiscard]] bool freeze(pid_t pid) const {
    tell("cgroup.procs", std::to_string(pid));
    tell("freezer.state", "FROZEN");
    return eventually([&] { return file_text(path_ / "freezer.state") == "FROZEN\n"; });
  }
  void thaw() const { tell("freezer.state", "THAWED"); }

 private:
  void tell(const char* file, const std::string& text) const { std::ofstream(path_ / file) << text; }
  std::filesystem::path path_;
  bool usable_ = false;
};

#define SKIP_WITHOUT_FREEZER(freezer) \
  if (!(freezer).usable()) GTEST_SKIP() << "no cgroup v1 freezer that a test may write"

}  // namespace tests
