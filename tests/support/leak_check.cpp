#include "tests/support/leak_check.hpp"

#include <cstdlib>
#include <gtest/gtest.h>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/eventually.hpp"
#include "tests/support/proc.hpp"

namespace tests {

namespace {

std::string& mark() {
  static std::string text;
  return text;
}

std::string lines(const std::vector<std::string>& texts) {
  std::ostringstream all;
  for (const std::string& text : texts) all << "  " << text << '\n';
  return all.str();
}

/// Some tests hold hundreds of commands: more than a shell's usual 1024 descriptors are enough for.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

class LeakCheck final : public testing::EmptyTestEventListener {
 public:
  void OnTestProgramStart(const testing::UnitTest& /*all*/) override { raise_descriptor_limit(); }

  void OnTestStart(const testing::TestInfo& /*test*/) override {
    mark() = std::to_string(getpid()) + "." + std::to_string(++tests_);
    setenv(mark_variable().c_str(), mark().c_str(), 1);
    descriptors_ = own_descriptors();
    threads_ = own_threads();
    children_ = children_of(getpid());
  }

  void OnTestEnd(const testing::TestInfo& /*test*/) override {
    const std::string searched = current_mark();
    EXPECT_TRUE(eventually([&] { return processes_with_environment(searched).empty(); }, leak_max))
        << "still running:\n" << to_string(processes_with_environment(searched));
    EXPECT_TRUE(eventually([&] { return children_of(getpid()).size() == children_.size(); }, leak_max))
        << "children of the host now:\n" << to_string(children_of(getpid()));
#if !defined(__SANITIZE_THREAD__)  // It has a thread of its own from the first one on.
    EXPECT_TRUE(eventually([&] { return own_threads() == threads_; }, leak_max))
        << own_threads() << " threads instead of " << threads_;
#endif
    EXPECT_TRUE(eventually([&] { return own_descriptors().size() == descriptors_.size(); }, leak_max))
        << "descriptors before:\n" << lines(descriptors_) << "after:\n" << lines(own_descriptors());
    unsetenv(mark_variable().c_str());
  }

 private:
  static constexpr netrunner::Nanoseconds leak_max = std::chrono::seconds(3);
  std::size_t tests_ = 0, threads_ = 0;
  std::vector<std::string> descriptors_;
  std::vector<ProcessEntry> children_;
};

[[maybe_unused]] const bool added = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new LeakCheck);  // googletest owns it.
  return true;
}();

}  // namespace

std::string mark_variable() { return "NETRUNNER_TEST_MARK"; }
std::string current_mark() { return mark_variable() + "=" + mark(); }

}  // namespace tests
