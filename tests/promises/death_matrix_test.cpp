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
  // Processes that fork for ever, starts under way and the memory killer are for the whole matrix, by hand.
  const std::string columns = "plain,deaf,escapee,stopped";
  const std::string rows = "handle_dropped,thread_throws,engine_closed,host_exits,host_sigkill,host_sigsegv,"
                           "shepherd_sigkill,shepherd_sigstop,host_and_shepherd,one_by_one,all_at_once";
  const CommandResult result =
      netrunner_command({"stress", "--deaths", "--containment", option, "--jobs", "8", "--rows", rows, "--columns",
                         columns, "--commands", std::to_string(scaled(20, 3))});
  EXPECT_EQ(result.exit_status, 0) << result.out << result.err;
  const std::string table = result.out.substr(std::min(result.out.find("\n\n"), result.out.size()));
  EXPECT_EQ(table.find(" - "), std::string::npos) << "a cell did not run\n" << result.out;
  RecordProperty("table", result.out);
}

INSTANTIATE_TEST_SUITE_P(Levels, DeathMatrixCrowd,
                         testing::Values(nr::Containment::cgroup, nr::Containment::subreaper,
                                         nr::Containment::pid_namespace),
                         [](const auto& tested) { return test_name_of(tested.param); });

}  // namespace
}  // namespace tests
