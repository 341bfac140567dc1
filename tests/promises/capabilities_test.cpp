/// What a command may do though it isn't root, and may not do though it is: seen from inside, in /proc/self/status.

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sstream>
#include <string>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temp_folder.hpp"

#define SKIP_UNLESS_ROOT() \
  if (geteuid() != 0) GTEST_SKIP() << "only root has capabilities to give"

namespace tests {
namespace {

const nr::Identity nobody{.uid = 65534, .gid = 65534, .groups = {}};

/// A set as the command itself sees it: CapEff, CapBnd, ...
std::uint64_t set_of(EngineFixture& host, const nr::Command& status, const std::string& name) {
  std::istringstream lines(host.run(status).out.head);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1), nullptr, 16);
  }
  ADD_FAILURE() << "no " << name;
  return 0;
}
nr::Command status() { return nr::Command("cat", "/proc/self/status"); }
std::uint64_t bits(std::initializer_list<int> numbers) { return nr::CapabilitySet(numbers).bits(); }

TEST(Capabilities, AUserThatIsntRootHasWhatWasKeptAndNothingElse) {
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const nr::Command command = status().identity(nobody).capabilities({CAP_NET_BIND_SERVICE, CAP_KILL});
  for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"}) {
    EXPECT_EQ(set_of(host, command, set), bits({CAP_NET_BIND_SERVICE, CAP_KILL})) << set;
  }
  EXPECT_EQ(host.run(nr::Command("id", "-u").identity(nobody).capabilities({CAP_KILL})).out.head, "65534\n");
}

TEST(Capabilities, WhatWasKeptWorks) {
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const nr::Command chown = sh("touch \"$0\" && chown 4711 \"$0\"").identity(nobody).cwd("/tmp");
  const TempFolder folder;
  const std::string file = folder / "file";
  EXPECT_EQ(::chown(folder.path().c_str(), 65534, 65534), 0);
  EXPECT_FALSE(host.run(chown.arg(file)).success());
  EXPECT_TRUE(host.run(chown.arg(file).capabilities({CAP_CHOWN})).success());
}

TEST(Capabilities, RootKeepsNoMoreThanItsBoundingSet) {
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const nr::Command command = status().capabilities({.bounding = {CAP_CHOWN}, .ambient = {}});
  EXPECT_EQ(set_of(host, command, "CapEff"), bits({CAP_CHOWN}));
  EXPECT_EQ(set_of(host, command, "CapBnd"), bits({CAP_CHOWN}));
  EXPECT_EQ(set_of(host, status().capabilities(nr::CapabilitySet()), "CapEff"), 0U);
}

TEST(Capabilities, AllButOneIsAllButOne) {
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const std::uint64_t own = set_of(host, status(), "CapEff");
  nr::CapabilitySet keep = nr::CapabilitySet::all();
  keep.remove(CAP_SYS_PTRACE);
  EXPECT_EQ(set_of(host, status().capabilities(keep), "CapEff"), own & ~bits({CAP_SYS_PTRACE}));
  EXPECT_EQ(set_of(host, status().identity(nobody).capabilities(keep), "CapEff"), own & ~bits({CAP_SYS_PTRACE}));
  EXPECT_EQ(set_of(host, status().identity(nobody).capabilities(nr::CapabilitySet::all()), "CapEff"), own);
}

TEST(Capabilities, OneThatTheHostHasNotIsAnErrorThatNamesIt) {
  EngineFixture host;
  const nr::Error error = refusal(host, status().capabilities({62}));
  EXPECT_TRUE(is(error, nr::Stage::capabilities, EPERM, "CAP_")) << "no kernel has number 62";
  EXPECT_EQ(error.code, nr::ErrorCode::permission_denied);
  const nr::Capabilities wrong{.bounding = {CAP_CHOWN}, .ambient = {CAP_KILL}};
  EXPECT_TRUE(is(refusal(host, status().capabilities(wrong)), nr::Stage::validate, EINVAL, "kill"));
}

TEST(Capabilities, TheyAreReadFromTextAndWrittenAsText) {
  for (const char* text : {"none", "all", "net_bind_service", "kill,net_raw", "all,-sys_ptrace,-sys_admin"}) {
    EXPECT_EQ(value_of(nr::CapabilitySet::parse(text)).text(), text);
  }
  EXPECT_EQ(value_of(nr::CapabilitySet::parse("CAP_KILL,13")), nr::CapabilitySet({CAP_KILL, CAP_NET_RAW}));
  for (const char* text : {"", "fly", "kill,", "-", "63", "-x"}) {
    const auto wrong = nr::CapabilitySet::parse(text);
    ASSERT_FALSE(wrong) << text;
    EXPECT_TRUE(says(wrong.error(), "capabilities(7)"));
  }
}

TEST(Capabilities, TheCommandLineHasThem) {
  SKIP_UNLESS_ROOT();
  const CommandResult result =
      netrunner_command({"run", "--user", "nobody", "--cap", "kill", "--", "grep", "CapEff", "/proc/self/status"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out, "CapEff:\t0000000000000020\n");
  const CommandResult wrong = netrunner_command({"run", "--cap", "fly", "--", "true"});
  EXPECT_EQ(wrong.exit_status, 125);
  EXPECT_NE(wrong.err.find("fly"), std::string::npos) << wrong.err;
}

TEST(AllowedUsers, RootIsRefusedWhereTheEngineRefusesIt) {
  SKIP_UNLESS_ROOT();
  nr::EngineOptions options = two_shards();
  options.refuse_root = true;
  EngineFixture host{options};
  const nr::Command command("true");
  const nr::Error error = refusal(host, command);
  EXPECT_TRUE(is(error, nr::Stage::uid, EPERM, "0")) << "the engine's own user";
  EXPECT_TRUE(says(error, "refuse_root"));
  EXPECT_EQ(refusal(host, command.identity({.uid = 0, .gid = {}, .groups = {}})).code,
            nr::ErrorCode::permission_denied);
  EXPECT_TRUE(host.run(command.identity(nobody)).success());
}

TEST(AllowedUsers, OnlyThoseOfTheListStart) {
  SKIP_UNLESS_ROOT();
  nr::EngineOptions options = two_shards();
  options.allowed_users = {65534, 65533};
  EngineFixture host{options};
  const nr::Command command("true");
  EXPECT_TRUE(is(refusal(host, command), nr::Stage::uid, EPERM, "0"));
  EXPECT_TRUE(is(refusal(host, command.identity({.uid = 1, .gid = {}, .groups = {}})), nr::Stage::uid, EPERM, "1"));
  EXPECT_TRUE(host.run(command.identity(nobody)).success());
}

}  // namespace
}  // namespace tests
