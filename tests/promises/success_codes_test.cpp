/// Which exit codes count as success is the caller's to say, once, on the command.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

nr::Command exits(int code) { return sh("exit " + std::to_string(code)); }

TEST(SuccessCodes, AListedCodeIsSuccessAndTheCodeStays) {
  EngineFixture host;
  const nr::Completed listed = host.run(exits(1).success_codes({0, 1}));
  EXPECT_TRUE(listed.success());
  EXPECT_TRUE(listed.check());
  EXPECT_EQ(exit_code(listed.ended), 1);
  EXPECT_FALSE(host.run(exits(2).success_codes({0, 1})).success());
  EXPECT_FALSE(host.run(exits(2).success_codes({0, 1})).check());
  EXPECT_FALSE(host.run(exits(1)).success());
}

TEST(SuccessCodes, ZeroIsNoneOfThemUnlessItIsListed) {
  EngineFixture host;
  EXPECT_FALSE(host.run(exits(0).success_codes({3})).success());
  EXPECT_TRUE(host.run(exits(3).success_codes({3})).success());
}

TEST(SuccessCodes, ADeathBySignalOrALimitIsNoSuccessWhateverItsNumber) {
  EngineFixture host;
  EXPECT_FALSE(host.run(sh("kill -TERM $$").success_codes({0, 15, 143})).success());
  const nr::Command trap = sh("trap 'exit 0' TERM; sleep 600 & wait").ladder({{SIGTERM, nr::Target::leader, 60s}});
  const nr::Completed late = host.run(trap.deadline(patience(500ms)).success_codes({0}));
  EXPECT_EQ(exit_code(late.ended), 0);
  EXPECT_FALSE(late.success()) << "its deadline ended it";
}

TEST(SuccessCodes, APipelineGoesByThoseOfEachStage) {
  EngineFixture host;
  const nr::Command grep = nr::Command("grep", "nothing");
  EXPECT_EQ(host.run(nr::Pipeline(nr::Command("true"), grep)).ended.failed_stage(), 1U);
  EXPECT_TRUE(host.run(nr::Pipeline(nr::Command("true"), grep.success_codes({0, 1}))).success());
}

TEST(SuccessCodes, ACodeThatNobodyCanExitWithIsRefused) {
  EngineFixture host;
  EXPECT_TRUE(is(refusal(host, exits(0).success_codes({256})), nr::Stage::validate, EINVAL, "256"));
  EXPECT_TRUE(is(refusal(host, exits(0).success_codes({-1})), nr::Stage::validate, EINVAL, "-1"));
}

TEST(SuccessCodes, TheCommandLineTurnsThemIntoZero) {
  const CommandResult one = netrunner_command({"run", "--success-codes", "0,1", "--json", "--", "sh", "-c", "exit 1"});
  EXPECT_EQ(one.exit_status, 0) << one.err;
  EXPECT_EQ(json_value(one.err, "code"), "1");
  EXPECT_EQ(json_value(one.err, "success"), "true");
  EXPECT_EQ(netrunner_command({"run", "--success-codes", "0,1", "--", "sh", "-c", "exit 2"}).exit_status, 2);
  EXPECT_EQ(netrunner_command({"run", "--success-codes", "0,x", "--", "true"}).exit_status, 125);
}

}  // namespace
}  // namespace tests
