/// A storm of random commands, stops, drops and shepherd kills leaves nothing, and every byte and end is accounted for.

#include <cstdlib>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/command_line.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

TEST(StressCrowd, AStormLeavesNothing) {
  const std::string seed = std::to_string(std::random_device{}());
  const std::string seconds = std::to_string(scaled(60, is_sanitized() ? 8 : slowness() > 1 ? 20 : 60)) + "s";
  // A crash is to be a crash.
  if (is_sanitized()) {
    setenv("ASAN_OPTIONS", "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0", 1);
    setenv("TSAN_OPTIONS", "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0:handle_sigill=0", 1);
  }
  SCOPED_TRACE("netrunner stress --seed " + seed + " --duration " + seconds);
  const CommandResult storm = netrunner_command({"stress", "--seed", seed, "--duration", seconds});
  EXPECT_EQ(storm.exit_status, 0) << storm.out << storm.err;
  EXPECT_NE(storm.out.find("PASS"), std::string::npos);
}

TEST(Stress, TakesOnlyWhatItKnows) {
  EXPECT_EQ(netrunner_command({"stress", "--deaths", "--rows", "boredom"}).exit_status, 125);
  EXPECT_EQ(netrunner_command({"stress", "--", "true"}).exit_status, 125);
  EXPECT_EQ(netrunner_command({"stress", "--help"}).exit_status, 0);
}

TEST(Stress, SaysAsJsonWhatItFound) {
  const CommandResult storm =
      netrunner_command({"stress", "--seed", "7", "--duration", "300ms", "--jobs", "4", "--json"});
  EXPECT_EQ(storm.exit_status, 0) << storm.out << storm.err;
  EXPECT_EQ(json_value(storm.out, "seed"), "7");
  EXPECT_EQ(json_value(storm.out, "pass"), "true");
  EXPECT_EQ(json_value(storm.out, "faults"), "0");
}

}  // namespace
}  // namespace tests
