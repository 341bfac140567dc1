/// `netrunner each` where something is scarce: descriptors, room for output, a reader.

#include <gtest/gtest.h>
#include <string>

#include "tests/support/command_line.hpp"

namespace tests {
namespace {

TEST(CommandEachBounds, AJobWaitsForASlotRatherThanFailForWantOfADescriptor) {
  const CommandResult result =
      netrunner_script("ulimit -n 200; seq 300 | $NR each -j 300 --json -- sh -c 'sleep 0.2; ulimit -n' | sort -u");
  EXPECT_EQ(result.out, "200\n");
  EXPECT_NE(result.err.find(" jobs at a time instead of 300: the hard limit is 200 descriptors"), std::string::npos)
      << result.err;
  const std::string json = result.err.substr(result.err.rfind('{'));
  EXPECT_EQ(json_value(json, "jobs"), "300");
  EXPECT_EQ(json_value(json, "failed"), "0") << result.err;
}

TEST(CommandEachBounds, TheHardLimitIsUsedAndTheJobsHaveTheSoftOne) {
  const CommandResult result =
      netrunner_script("ulimit -Sn 64; seq 200 | $NR each -j 200 --json -- sh -c 'sleep 0.2; ulimit -n' | sort -u");
  EXPECT_EQ(result.out, "64\n");
  EXPECT_EQ(json_value(result.err, "failed"), "0") << result.err;
}

}  // namespace
}  // namespace tests
