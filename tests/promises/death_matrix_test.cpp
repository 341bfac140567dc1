/// Whoever dies, whatever runs: nothing is left where the design says so. `netrunner stress --deaths` does it.

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/command_line.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

class DeathMatrixCrowd : public testing::TestWithParam<nr::Containment> {
 protected:
  /// Every row of these columns.
  void expect_nothing_left(const std::string& columns) {
    std::string option(nr::name_of(GetParam()));
    std::ranges::replace(option, '_', '-');
    // The gap: whoever is left is to have the time for a ladder and a sweep before it is killed too.
    const std::string wait = patience_text(1s), gap = wait;
    const std::string commands = std::to_string(scaled(20, 3));
    const CommandResult result =
        netrunner_command({"stress", "--deaths", "--containment", option, "--jobs", "8", "--wait", wait, "--gap", gap,
                           "--columns", columns, "--commands", commands});
    EXPECT_EQ(result.exit_status, 0) << result.out << result.err;
    std::istringstream table(result.out.substr(std::min(result.out.find("\n\n"), result.out.size())));
    for (std::string row; std::getline(table, row);) {
      const bool may_be_missing = row.find("host_oom") != std::string::npos;  // No memory controller is ours to use.
      EXPECT_TRUE(may_be_missing || row.find(" - ") == std::string::npos) << "a cell did not run\n" << result.out;
    }
    RecordProperty("table", result.out);
  }
};

#define SKIP_WHERE_DEATH_IS_ANOTHER() \
  if (is_sanitized()) GTEST_SKIP() << "hosts die of signals that the sanitizer catches, in times that it stretches"

TEST_P(DeathMatrixCrowd, LeavesNothingWhereThatIsPromised) {
  SKIP_WHERE_DEATH_IS_ANOTHER();
  SKIP_WITHOUT_CONTAINMENT(GetParam());
  expect_nothing_left("plain,deaf,escapee,stopped");
}

TEST_P(DeathMatrixCrowd, LeavesNothingOfThoseThatForkOnOrHideOrJustBegin) {
  SKIP_WHERE_DEATH_IS_ANOTHER();
  SKIP_WITHOUT_CONTAINMENT(GetParam());
  expect_nothing_left("bare,hopper,bomb,starting");
}

INSTANTIATE_TEST_SUITE_P(Levels, DeathMatrixCrowd,
                         testing::Values(nr::Containment::cgroup, nr::Containment::subreaper,
                                         nr::Containment::pid_namespace),
                         [](const auto& tested) { return test_name_of(tested.param); });

}  // namespace
}  // namespace tests
