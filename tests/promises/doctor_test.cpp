/// `netrunner doctor`: what it finds is there, and its exit status says whether everything promised can be kept.

#include <gtest/gtest.h>
#include <netrunner/netrunner.hpp>
#include <string>

#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/engine_fixture.hpp"

namespace tests {
namespace {

/// The object of one finding in the report as JSON; empty: there is none.
std::string finding(const std::string& json, const std::string& name) {
  const std::size_t at = json.find("\"name\": \"" + name + "\"");
  if (at == std::string::npos) return {};
  return json.substr(at, json.find('}', at) - at);
}

TEST(Doctor, SaysWhatItFindsAndItsStatusAgrees) {
  const CommandResult words = netrunner_command({"doctor"});
  const CommandResult json = netrunner_command({"doctor", "--json"});
  EXPECT_EQ(words.exit_status, json.exit_status);
  EXPECT_EQ(json_value(json.out, "ok"), json.exit_status == 0 ? "true" : "false") << json.out;
  for (const char* part : {"io_uring", "self-test", "containment", "cgroup v2", "open files", "kernel.pid_max"}) {
    EXPECT_NE(words.out.find(part), std::string::npos) << part;
    EXPECT_NE(json.out.find(part), std::string::npos) << part;
  }
  if (why_not(nr::Containment::cgroup).empty()) {
    EXPECT_EQ(words.exit_status, 0) << words.out;
  }
}

TEST(Doctor, EachOperationOfTheRingIsNamedAndWhatIsDoneWithoutIt) {
  const CommandResult json = netrunner_command({"doctor", "--json"});
  const auto operations = nr::probe_ring();
  ASSERT_TRUE(operations) << operations.error().message();
  EXPECT_GE(operations->size(), 8U);
  for (const nr::RingOperation& operation : *operations) {
    const std::string found = finding(json.out, std::string(operation.name));
    EXPECT_EQ(json_value(found, "health") == "ok", operation.there) << operation.name << ": " << found;
    EXPECT_NE(found.find("without it: "), std::string::npos) << found;
    EXPECT_TRUE(operation.there || !operation.without.empty()) << "the engine opened without " << operation.name;
  }
}

TEST(Doctor, TheLimitsAreAllThere) {
  const CommandResult json = netrunner_command({"doctor", "--json"});
  for (const char* limit : {"open files", "processes", "pids of the cgroup", "kernel.pid_max", "kernel.threads-max",
                            "fs.pipe-user-pages-soft", "ptys", "locked memory", "user namespaces"}) {
    EXPECT_NE(finding(json.out, limit), "") << limit;
  }
}

TEST(Doctor, ALimitThatIsTooLowIsAdvisedUpon) {
  const CommandResult low = netrunner_script("ulimit -n 512; \"$NR\" doctor --json");
  const std::string files = finding(low.out, "open files");
  EXPECT_EQ(json_value(files, "health"), "degraded") << files;
  EXPECT_NE(files.find("ulimit -n"), std::string::npos) << files;
}

TEST(Doctor, WhereNothingCanBeStartedItsStatusSaysSo) {
  const CommandResult none = netrunner_script("ulimit -n 12; \"$NR\" doctor");
  EXPECT_NE(none.exit_status, 0) << none.out;
}

}  // namespace
}  // namespace tests
