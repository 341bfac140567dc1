#pragma once
/// A process that is short of descriptors for a while.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/types.h>

namespace tests {

/// While it lives, `process` opens no descriptor from `limit` on; those that are open stay.
class DescriptorLimit {
 public:
  DescriptorLimit(pid_t process, rlim_t limit) : process_(process) {
    EXPECT_EQ(prlimit(process_, RLIMIT_NOFILE, nullptr, &before_), 0);
    const rlimit less{limit, before_.rlim_max};
    EXPECT_EQ(prlimit(process_, RLIMIT_NOFILE, &less, nullptr), 0);
  }
  DescriptorLimit(const DescriptorLimit&) = delete;
  DescriptorLimit& operator=(const DescriptorLimit&) = delete;
  ~DescriptorLimit() { EXPECT_EQ(prlimit(process_, RLIMIT_NOFILE, &before_, nullptr), 0); }

 private:
  pid_t process_;
  rlimit before_{};
};

}  // namespace tests
