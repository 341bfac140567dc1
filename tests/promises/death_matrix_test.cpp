/// Whoever dies, whatever runs: nothing is left where the design says so. `netrunner stress --deaths` does it.

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/command_line.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

class DeathMatrixCrowd : public testing::TestWithParam<nr::Containment> {};

TEST_P(DeathMatrixCrowd, LeavesNothingWhereThatIsPromised) {
  if (is_sanitized()) GTEST_SKIP() << "hosts die of signals that the sanitizer catches, and in times that it stretches";
  SKIP_WITHOUT_CONTAINMENT(GetParam());
  std::string option(nr::name_of(GetParam()));
  std::ranges::replace(option, '_', '-');
  const CommandResult result =
      netrunner_command({"stress", "--deaths", "--containment", option, "--jobs", "8", "--commands",
                         std::to_string(scaled(20, 3))});
  EXPECT_EQ(result.exit_status, 0) << result.out << result.err;
  // A memory cgroup can't be had everywhere; every other cell must have run.
  std::size_t not_run = 0;
  for (std::size_t at = result.out.find(" - "); at != std::string::npos; at = result.out.find(" - ", at + 1)) ++not_run;
  EXPECT_LE(not_run, 9U) << result.out;
  RecordProperty("table", result.out);
}

INSTANTIATE_TEST_SUITE_P(Levels, DeathMatrixCrowd,
                         testing::Values(nr::Containment::cgroup, nr::Containment::subreaper,
                                         nr::Containment::pid_namespace),
                         [](const auto& tested) { return test_name_of(tested.param); });

}  // namespace
}  // namespace tests
