/// What a command has in its environment, and where its secrets don't turn up.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"

namespace tests {
namespace {

/// The variables that `command` (which runs env) has.
std::vector<std::string> variables(EngineFixture& host, const nr::Command& command) {
  std::vector<std::string> lines;
  const std::string text = host.run(command).out.head;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\0', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}
const nr::Command env{"/usr/bin/env", "-0"};

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

TEST(Environment, IsTheHostsWithTheChanges) {
  setenv("NETRUNNER_KEPT", "kept", 1);
  setenv("NETRUNNER_GONE", "gone", 1);
  setenv("NETRUNNER_CHANGED", "before", 1);
  EngineFixture host;
  const auto all = variables(host, env.env("NETRUNNER_CHANGED", "after").unset_env("NETRUNNER_GONE").env("NEW", ""));
  EXPECT_TRUE(has(all, "NETRUNNER_KEPT=kept"));
  EXPECT_TRUE(has(all, "NETRUNNER_CHANGED=after"));
  EXPECT_FALSE(has(all, "NETRUNNER_CHANGED=before"));
  EXPECT_FALSE(has(all, "NETRUNNER_GONE=gone"));
  EXPECT_TRUE(has(all, "NEW="));
  for (const char* name : {"NETRUNNER_KEPT", "NETRUNNER_GONE", "NETRUNNER_CHANGED"}) unsetenv(name);
}

TEST(Environment, IsReadWhenTheCommandIsStarted) {
  EngineFixture host;
  setenv("NETRUNNER_LATE", "1", 1);
  EXPECT_TRUE(has(variables(host, env), "NETRUNNER_LATE=1"));
  unsetenv("NETRUNNER_LATE");
  EXPECT_FALSE(has(variables(host, env), "NETRUNNER_LATE=1"));
}

TEST(Environment, ClearedItHasWhatTheCommandSaysAndNothingElse) {
  EngineFixture host;
  EXPECT_EQ(variables(host, env.clear_env()), std::vector<std::string>{});
  EXPECT_EQ(variables(host, env.clear_env().env("ONLY", "this")), std::vector<std::string>{"ONLY=this"});
  EXPECT_EQ(variables(host, env.env("ONLY", "this").clear_env().env("OTHER", "that").unset_env("OTHER")).size(),
            variables(host, env.env("ONLY", "this").clear_env()).size());
}

TEST(Environment, TheLastChangeOfANameWins) {
  EngineFixture host;
  const auto all = variables(host, env.clear_env().env("A", "1").env("B", "x").env("A", "2"));
  EXPECT_EQ(all.size(), 2U);
  EXPECT_TRUE(has(all, "A=2"));
  EXPECT_EQ(variables(host, env.clear_env().env("A", "1").unset_env("A")).size(), 0U);
  EXPECT_EQ(variables(host, env.clear_env().unset_env("A").env("A", "1")), std::vector<std::string>{"A=1"});
}

TEST(Environment, ManyAndLongVariablesTravelWhole) {  // Past one frame of the treaty.
  EngineFixture host;
  nr::Command command = env.clear_env();
  std::vector<std::string> right;
  for (int n = 0; n < 500; ++n) {
    const std::string name = "V" + std::to_string(n);
    const std::string value(static_cast<std::size_t>(n * 4), static_cast<char>('a' + n % 26));
    command = command.env(name, value);
    right.push_back(name + "=" + value);
  }
  auto all = variables(host, command);
  std::sort(all.begin(), all.end());
  std::sort(right.begin(), right.end());
  EXPECT_EQ(all, right);
}

TEST(Environment, SecretsShowUpInNoCommandLineAndNoError) {  // X9
  EngineFixture host;
  const std::string secret = "xyzzy-7f3a91";
  const nr::Command with_secret = nr::Command("sleep", "1000").env("SECRET", secret).out(nr::Stdio::null());
  Running running = host.spawn(with_secret.in(nr::Stdio::bytes(secret)));
  EXPECT_TRUE(processes_with_arguments(secret).empty()) << to_string(processes_with_arguments(secret));
  for (const nr::Command& failing :
       {nr::Command("/no/such/program").env("SECRET", secret), with_secret.cwd("/no/such/directory"),
        with_secret.env("SECRET", secret + std::string(140'000, 'x')), with_secret.env("BAD=NAME", secret)}) {
    const nr::Error error = refusal(host, failing);
    EXPECT_FALSE(error.message().contains(secret)) << error.message();
    EXPECT_FALSE((error.subject + error.advice).contains(secret));
  }
}

TEST(Environment, TheShepherdsCommandLineHasNothingOfTheUsers) {  // X9
  EngineFixture host;
  const Running running = host.spawn(nr::Command("sleep", "1000.123").cwd("/usr").out(nr::Stdio::null()));
  for (const nr::ShardStats& shard : host.get(host->stats()).shards) {
    const std::string line = proc_file(shard.shepherd_pid, "cmdline");
    EXPECT_FALSE(line.empty());
    EXPECT_FALSE(line.contains("1000.123")) << line;
    EXPECT_FALSE(line.contains("/usr")) << line;
  }
}

}  // namespace
}  // namespace tests
