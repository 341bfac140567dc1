/// What a subcommand could not stop, it says.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/types.h>

#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/freezer.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

TEST(CommandRest, EachSubcommandSaysThatProcessesAreLeftAndWhy) {
  const Freezer freezer;
  SKIP_WITHOUT_FREEZER(freezer);
  const TempFolder folder;
  CommandLine run(netrunner_argv({"run", "--ladder", "KILL", "--", "sleep", "1001"}));
  CommandLine each(
      netrunner_argv({"each", "--ladder", "KILL", "--joblog", folder / "log", "--", "sleep", ":::", "1002"}));
  CommandLine pipeline(netrunner_argv({"pipeline", "--ladder", "KILL", "--", "sleep", "1003", ":::", "cat"}));
  // netrunner has the words in its command line too.
  const auto sleeper = [](const std::string& seconds) -> pid_t {
    for (const ProcessEntry& entry : processes_with_arguments("sleep " + seconds)) {
      if (entry.name == "sleep") return entry.pid;
    }
    return -1;
  };
  for (const std::string seconds : {"1001", "1002", "1003"}) {
    ASSERT_TRUE(eventually([&] { return sleeper(seconds) > 0; }));
    ASSERT_TRUE(freezer.freeze(sleeper(seconds)));
  }
  for (const CommandLine* line : {&run, &each, &pipeline}) line->signal(SIGTERM);
  for (CommandLine* line : {&run, &each, &pipeline}) {
    const CommandResult result = line->wait();
    EXPECT_NE(result.exit_status, 0) << result.err;
    EXPECT_NE(result.err.find("processes of it are still there; they could not be stopped: "), std::string::npos)
        << result.err;
    EXPECT_NE(result.err.find("outlives SIGKILL"), std::string::npos) << result.err;
  }
  const std::string job = file_text(folder / "log");
  EXPECT_EQ(job.find("\t-"), std::string::npos) << "it has run for less than no time: " << job;
  freezer.thaw();
}

}  // namespace
}  // namespace tests
