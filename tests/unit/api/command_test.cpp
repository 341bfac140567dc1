/// A Command is a value: setters return a new one, copies are independent, equality is by what was asked for.

#include <csignal>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <netrunner/command.hpp>

namespace netrunner {
namespace {

using namespace std::chrono_literals;

using Setter = Command (*)(const Command&);

/// One of each: what a setter that forgot to copy would write into the shared value.
const std::vector<std::pair<const char*, Setter>>& setters() {
  static const std::vector<std::pair<const char*, Setter>> all = {
      {"arg", [](const Command& c) { return c.arg("more"); }},
      {"args", [](const Command& c) { return c.args({"one", "two"}); }},
      {"arg0", [](const Command& c) { return c.arg0("zero"); }},
      {"env", [](const Command& c) { return c.env("NAME", "value"); }},
      {"unset_env", [](const Command& c) { return c.unset_env("NAME"); }},
      {"clear_env", [](const Command& c) { return c.clear_env(); }},
      {"cwd", [](const Command& c) { return c.cwd("/"); }},
      {"in", [](const Command& c) { return c.in(Stdio::pipe()); }},
      {"out", [](const Command& c) { return c.out(Stdio::null()); }},
      {"err", [](const Command& c) { return c.err(Stdio::merge()); }},
      {"input", [](const Command& c) { return c.input("bytes"); }},
      {"extra", [](const Command& c) { return c.extra({.number = 5, .stdio = Stdio::pipe()}); }},
      {"deadline", [](const Command& c) { return c.deadline(5s); }},
      {"idle_limit", [](const Command& c) { return c.idle_limit(6s); }},
      {"drain", [](const Command& c) { return c.drain(Drain::until_end_of_file()); }},
      {"ladder", [](const Command& c) { return c.ladder(KillLadder::at_once()); }},
      {"stragglers", [](const Command& c) { return c.stragglers(Stragglers::leave); }},
      {"output_limit", [](const Command& c) { return c.output_limit(7, AtLimit::truncate); }},
      {"budget", [](const Command& c) { return c.budget(8); }},
      {"grouping", [](const Command& c) { return c.grouping(Grouping::join, 9); }},
      {"umask", [](const Command& c) { return c.umask(077); }},
      {"nice", [](const Command& c) { return c.nice(10); }},
      {"resource_limit", [](const Command& c) { return c.resource_limit({RLIMIT_CORE, 0, 0}); }},
      {"identity", [](const Command& c) { return c.identity({.uid = 11, .gid = 12, .groups = {}}); }},
      {"no_new_privs", [](const Command& c) { return c.no_new_privs(); }},
      {"oom_score_adj", [](const Command& c) { return c.oom_score_adj(13); }},
      {"cpus", [](const Command& c) { return c.cpus({0}); }},
      {"shell_fallback", [](const Command& c) { return c.shell_fallback(); }},
  };
  return all;
}

TEST(CommandValue, NoSetterTouchesItsSource) {
  const Command source{"program", "argument"};
  const Command copy = source;
  const Command::Spec before = source.spec();
  for (const auto& [name, set] : setters()) {
    const Command changed = set(source);
    EXPECT_TRUE(source.spec() == before) << name << " changed the command that it was called on";
    EXPECT_TRUE(copy == source) << name << " changed a copy";
    EXPECT_FALSE(changed == source) << name << " changed nothing";
    EXPECT_TRUE(set(source) == changed) << name << " is not the same twice";
  }
}

TEST(CommandValue, AllSettersTogetherKeepWhatEachSaid) {
  Command command{"program", "argument"};
  for (const auto& [name, set] : setters()) command = set(command);
  const Command::Spec& spec = command.spec();
  EXPECT_EQ(spec.program, "program");
  EXPECT_EQ(spec.arguments, (std::vector<std::string>{"argument", "more", "one", "two"}));
  EXPECT_EQ(spec.arg0, "zero");
  EXPECT_TRUE(spec.clear_environment);
  EXPECT_EQ(spec.cwd, "/");
  EXPECT_TRUE(spec.in == Stdio::bytes("bytes"));
  EXPECT_TRUE(spec.out == Stdio::null());
  EXPECT_TRUE(spec.err == Stdio::merge());
  ASSERT_EQ(spec.extras.size(), 1U);
  EXPECT_EQ(spec.extras[0].number, 5);
  EXPECT_EQ(spec.deadline, Nanoseconds(5s));
  EXPECT_EQ(spec.idle_limit, Nanoseconds(6s));
  EXPECT_TRUE(spec.ladder == KillLadder::at_once());
  EXPECT_EQ(spec.stragglers, Stragglers::leave);
  EXPECT_EQ(spec.output_limit, 7U);
  EXPECT_EQ(spec.at_limit, AtLimit::truncate);
  EXPECT_EQ(spec.budget_bytes, 8U);
  EXPECT_EQ(spec.grouping, Grouping::join);
  EXPECT_EQ(spec.join_group, 9);
  EXPECT_EQ(spec.umask, mode_t{077});
  EXPECT_EQ(spec.nice, 10);
  EXPECT_EQ(spec.resource_limits, (std::vector<ResourceLimit>{{RLIMIT_CORE, 0, 0}}));
  EXPECT_EQ(spec.identity.uid, uid_t{11});
  EXPECT_EQ(spec.identity.gid, gid_t{12});
  EXPECT_TRUE(spec.no_new_privs);
  EXPECT_EQ(spec.oom_score_adj, 13);
  EXPECT_EQ(spec.cpus, std::vector<int>{0});
  EXPECT_TRUE(spec.shell_fallback);
}

TEST(CommandValue, TheDefaultsAreTheDocumentedOnes) {
  const Command command{"program"};
  const Command::Spec& spec = command.spec();
  EXPECT_TRUE(spec.arguments.empty());
  EXPECT_TRUE(spec.in == Stdio::null());
  EXPECT_FALSE(spec.out);
  EXPECT_FALSE(spec.err);
  EXPECT_EQ(spec.deadline, Nanoseconds::max());
  EXPECT_EQ(spec.idle_limit, Nanoseconds::max());
  EXPECT_EQ(spec.drain.idle, Nanoseconds(250ms));
  EXPECT_EQ(spec.drain.max, Nanoseconds(5s));
  EXPECT_TRUE(spec.ladder == KillLadder{});
  EXPECT_EQ(spec.stragglers, Stragglers::stop);
  EXPECT_EQ(spec.grouping, Grouping::own_group);
  EXPECT_FALSE(spec.shell_fallback);
}

TEST(CommandValue, AListIsProgramAndArguments) {
  const Command command = Command::from_argv({"program", "one", "", "two words"});
  EXPECT_TRUE(command == Command("program", "one", "", "two words"));
}

TEST(CommandValue, AnEmptyListIsNoCrash) {
  EXPECT_EQ(Command::from_argv({}).spec().program, "");
}

TEST(CommandValue, AShellIsVisible) {
  const Command command = Command::shell("echo $HOME; exit 3");
  EXPECT_EQ(command.spec().program, "/bin/sh");
  EXPECT_EQ(command.spec().arguments, (std::vector<std::string>{"-c", "echo $HOME; exit 3"}));
  EXPECT_EQ(Command::shell("true", "/bin/bash").spec().program, "/bin/bash");
}

TEST(CommandValue, ChangesOfTheEnvironmentKeepTheirOrder) {
  const Command command = Command("program").env("A", "1").unset_env("A").env("A", "2");
  const auto& changes = command.spec().environment;
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.back().name, "A");
  EXPECT_EQ(changes.back().value, "2");
}

TEST(CommandValue, OneValueServesManyThreads) {
  const Command source{"program"};
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&source] {
      for (int round = 0; round < 1000; ++round) {
        const Command copy = source;
        EXPECT_EQ(copy.arg("x").spec().arguments.size(), 1U);
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(source.spec().arguments.empty());
}

TEST(CommandValue, AnUnknownUserIsNamed) {
  const Result<Command> command = Command("program").user("no-such-user-here");
  ASSERT_FALSE(command);
  EXPECT_TRUE(command.error().message().contains("no-such-user-here")) << command.error().message();
}

TEST(CommandValue, AnUnknownGroupIsNamed) {
  const Result<Command> command = Command("program").user("root:no-such-group-here");
  ASSERT_FALSE(command);
  EXPECT_TRUE(command.error().message().contains("no-such-group-here")) << command.error().message();
}

TEST(CommandValue, AUserIsLookedUpByNameOrNumber) {
  const Result<Command> by_name = Command("program").user("root");
  ASSERT_TRUE(by_name) << by_name.error().message();
  EXPECT_EQ(by_name->spec().identity.uid, uid_t{0});
  const Result<Command> by_number = Command("program").user("65534:65533");
  ASSERT_TRUE(by_number) << by_number.error().message();
  EXPECT_EQ(by_number->spec().identity.uid, uid_t{65534});
  EXPECT_EQ(by_number->spec().identity.gid, gid_t{65533});
}

}  // namespace
}  // namespace netrunner
