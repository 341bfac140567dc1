/// A command has descriptors 0, 1, 2 and those asked for, nothing else, and the host loses none. Theme FD.

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <random>
#include <string>
#include <sys/file.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bystander.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

/// Prints "<descriptor> <target> <flags>" for each open descriptor of its own.
const nr::Command list = child("list_descriptors");

TEST(Descriptors, NothingOfTheHostLeaksIntoACommand) {  // D2
  std::vector<int> open_ones;
  EngineFixture host;
  for (int n = 0; n < 50; ++n) open_ones.push_back(open("/dev/null", O_RDWR));  // No O_CLOEXEC.
  const std::string seen = host.run(child("list_descriptors", "numbers")).out.head;
  EXPECT_EQ(seen, "0 1 2\n");
  for (const int fd : open_ones) close(fd);
}

TEST(Descriptors, NeitherWhatWasOpenBeforeTheEngine) {  // D2
  std::vector<int> open_ones;
  for (int n = 0; n < 50; ++n) open_ones.push_back(open("/dev/null", O_RDWR));
  {
    EngineFixture host({.shards = 1});
    EXPECT_EQ(host.run(child("list_descriptors", "numbers")).out.head, "0 1 2\n");
    EXPECT_LT(descriptors(host.shard_stats().shepherd_pid).size(), 40U) << "the shepherd keeps the host's descriptors";
  }
  for (const int fd : open_ones) close(fd);
}

/// The descriptors of a child that this process starts by itself.
std::string seen_by_a_bystander() {
  const TempFolder folder;
  Bystander other({"/bin/sh", "-c", "exec \"$0\" numbers >\"$1\"", child_path("list_descriptors"),
                   folder / "seen"});
  EXPECT_EQ(other.wait(), 0);
  return file_text(folder / "seen");
}

TEST(Descriptors, TheEnginesOwnDontLeakIntoOtherChildrenOfTheHost) {  // D2, E4
  const std::string before = seen_by_a_bystander();
  EngineFixture host;
  const Running running = host.spawn(nr::Command("sleep", "1000").in(nr::Stdio::pipe()));
  EXPECT_EQ(seen_by_a_bystander(), before);
}

TEST(Descriptors, OnlyTheExtrasAskedForAreThere) {  // D2
  EngineFixture host;
  const nr::Command command = child("list_descriptors", "numbers")
                                  .extra({.number = 7, .stdio = nr::Stdio::pipe()})
                                  .extra({.number = 3,
                                          .direction = nr::Direction::to_command,
                                          .stdio = nr::Stdio::pipe()})
                                  .extra({.number = 200, .stdio = nr::Stdio::null()});
  EXPECT_EQ(host.run(command).out.head, "0 1 2 3 7 200\n");
}

/// Its stdout is a pipe, and so are that many others.
nr::Command with_extra_pipes(int count) {
  // So much that it doesn't fit the message, and takes a descriptor of its own.
  nr::Command command =
      child("list_descriptors", "numbers").err(nr::Stdio::null()).env("PADDING", std::string(64 * KiB, 'x'));
  for (int n = 0; n < count; ++n) command = command.extra({.number = 3 + n, .stdio = nr::Stdio::pipe()});
  return command;
}

TEST(Descriptors, MoreThanOneCommandCanHaveAreRefused) {
  EngineFixture host({.shards = 1});
  const std::string seen = host.run(with_extra_pipes(248)).out.head;
  EXPECT_EQ(std::ranges::count(seen, ' ') + 1, 251) << seen;
  const nr::Error one_more = refusal(host, with_extra_pipes(249));
  EXPECT_TRUE(is(one_more, nr::Stage::validate, EINVAL, "250 pipes and descriptors"));
  EXPECT_TRUE(says(one_more, "249 at most"));
  const nr::KillLadder ladder({nr::Rung::run({"true"}, 1s)});  // Its commands take the place of one.
  const nr::Error with_a_ladder = refusal(host, with_extra_pipes(248).ladder(ladder));
  EXPECT_EQ(with_a_ladder.code, nr::ErrorCode::invalid_argument);
  EXPECT_TRUE(says(with_a_ladder, "248 at most"));
  EXPECT_EQ(host.run(nr::Command("echo", "on")).out.head, "on\n");
}

TEST(Descriptors, ACommandsPipesAreBlocking) {  // D4
  EngineFixture host;
  const nr::Completed completed = host.run(list.in(nr::Stdio::bytes("x")));
  EXPECT_EQ(completed.out.head.find("nonblock"), std::string::npos) << completed.out.head;
  EXPECT_NE(completed.out.head.find("1 pipe:"), std::string::npos) << completed.out.head;
}

TEST(Descriptors, ASlowReaderCostsACommandNothing) {  // D4
  EngineFixture host;
  Running seq = host.spawn(nr::Command("seq", "1", "300000"));
  ASSERT_TRUE(eventually([&] { return seq.held_bytes() > 0; }));
  EXPECT_TRUE(remains([&] { return !seq.stats().exited; }));
  EXPECT_EQ(seq.read_all().size(), 1'988'895U);
  EXPECT_EQ(exit_code(seq.wait()), 0);
}

TEST(Descriptors, AnInheritedOneKeepsItsFlags) {  // D4
  EngineFixture host;
  std::array<int, 3> before{};
  for (int fd = 0; fd < 3; ++fd) before[static_cast<std::size_t>(fd)] = fcntl(fd, F_GETFL);
  Running cat = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()).out(nr::Stdio::inherit()));
  const auto same = [&before] {
    for (int fd = 0; fd < 3; ++fd) {
      if (fcntl(fd, F_GETFL) != before[static_cast<std::size_t>(fd)]) return false;
    }
    return true;
  };
  EXPECT_TRUE(same()) << "during";
  cat.close_input();
  EXPECT_EQ(exit_code(cat.wait()), 0);
  EXPECT_TRUE(same()) << "after";
}

TEST(Descriptors, CountsAreTheSameAfterAThousandRuns) {  // D2, D8
  EngineFixture host({.shards = 1});
  (void)host.run(nr::Command("true"));
  const pid_t shepherd = host.shard_stats().shepherd_pid;
  // A spare shepherd comes up by and by: count when nothing changes any more.
  ASSERT_TRUE(eventually([&] {
    const auto now = own_descriptors();
    return static_cast<bool>(remains([&] { return own_descriptors() == now; }));
  }));
  const std::vector<std::string> own_before = own_descriptors(), shepherd_before = descriptors(shepherd);
  const nr::Command commands[] = {
      nr::Command("true"), nr::Command("sleep", "1000").deadline(0s), nr::Command("cat").input("text"),
      nr::Command("true").out(nr::Stdio::pipe()).err(nr::Stdio::merge()), nr::Command("/no/such/program"),
      nr::Command("true").cwd("/no/such/directory"), nr::Command("true").in(nr::Stdio::file("/no/such/file")),
      nr::Command("true").in(nr::Stdio::descriptor(900'000))};
  for (std::size_t round = 0; round < scaled(1250, 10); ++round) {
    for (const nr::Command& command : commands) (void)host->run(command);
  }
  EXPECT_TRUE(eventually([&] { return own_descriptors().size() == own_before.size(); }))
      << testing::PrintToString(own_before) << " became " << testing::PrintToString(own_descriptors());
  EXPECT_TRUE(eventually([&] { return descriptors(shepherd).size() == shepherd_before.size(); }))
      << testing::PrintToString(shepherd_before) << " became " << testing::PrintToString(descriptors(shepherd));
}

TEST(Descriptors, EveryCombinationIsExactlyThreeDescriptors) {  // D8
  EngineFixture host;
  const TempFolder folder;
  const std::array<nr::Stdio, 5> outputs = {nr::Stdio::null(), nr::Stdio::pipe(),
                                            nr::Stdio::file(folder / "file", nr::Stdio::FileMode::append),
                                            nr::Stdio::merge(), nr::Stdio::descriptor(2)};
  for (const nr::Stdio& in : {nr::Stdio::null(), nr::Stdio::pipe(), nr::Stdio::file("/dev/null")}) {
    for (const nr::Stdio& out : outputs) {
      for (const nr::Stdio& err : outputs) {
        if (out == nr::Stdio::merge() && err == nr::Stdio::merge()) continue;
        Running three = host.spawn(child("list_descriptors", "numbers", "3")
                                       .in(in).out(out).err(err)
                                       .extra({.number = 3, .stdio = nr::Stdio::pipe()}));
        EXPECT_EQ(three.read_all(nr::extra_stream(3)), "0 1 2 3\n")
            << static_cast<int>(in.kind()) << static_cast<int>(out.kind()) << static_cast<int>(err.kind());
        EXPECT_EQ(exit_code(three.wait()), 0);
      }
    }
  }
}

TEST(Descriptors, AMergedPipeHasNoSecondWriter) {  // D8: `yes` dies of SIGPIPE when the reader goes.
  EngineFixture host;
  for (const bool merged : {false, true}) {
    nr::Command yes = nr::Command("yes").out(nr::Stdio::pipe());
    if (merged) yes = yes.err(nr::Stdio::merge());
    Running running = host.spawn(yes);
    EXPECT_EQ(running.read_exactly(4), "y\ny\n");
    running.close_output();
    EXPECT_EQ(end_signal(running.wait()), SIGPIPE);
  }
}

class HostWithClosedStdio : public testing::TestWithParam<int> {};

TEST_P(HostWithClosedStdio, WiresNothingWrongly) {  // D9
  EXPECT_TRUE(host_succeeds("closed_stdio_host", {std::to_string(GetParam())}));
}
INSTANTIATE_TEST_SUITE_P(Subsets, HostWithClosedStdio, testing::Range(0, 8), [](const auto& tested) {
  std::string closed = "Closed";
  for (int fd = 0; fd < 3; ++fd) closed += (tested.param >> fd & 1) != 0 ? std::to_string(fd) : "";
  return closed == "Closed" ? "ClosedNone" : closed;
});

TEST(Descriptors, OneThatMayNotBeSentIsAnErrorAndNotASilence) {  // D9: as an engine's own ring in the place of stdin.
  EngineFixture host;
  int ring = -1;
  for (const std::string& line : own_descriptors()) {
    if (line.contains("io_uring")) ring = std::stoi(line);
  }
  ASSERT_GE(ring, 0);
  const auto started = nr::blocking::get(host->spawn(nr::Command("true").in(nr::Stdio::descriptor(ring))),
                                         nr::Deadline::after(patience(10s)));
  EXPECT_TRUE(started || started.error().code != nr::ErrorCode::timed_out) << "nobody answered";
  EXPECT_TRUE(host.run(nr::Command("true")).success());
}

TEST(Descriptors, ALockOfTheHostIsNotHeldByItsCommands) {  // D10
  const TempFolder folder;
  HostProgram host("doomed_host", {"lock", folder / "lock", "trap '' TERM; echo ready; while :; do sleep 0.05; done"});
  ASSERT_TRUE(host.reports("ready"));
  const int lock = open((folder / "lock").c_str(), O_RDWR | O_CLOEXEC);
  EXPECT_NE(flock(lock, LOCK_EX | LOCK_NB), 0) << "the host has it";
  host.kill();
  (void)host.wait();
  EXPECT_EQ(flock(lock, LOCK_EX | LOCK_NB), 0) << "neither shepherd nor command has it, though they live";
  close(lock);
}

TEST(DescriptorLimit, IsTheHostsOwn) {  // D5
  EXPECT_TRUE(host_succeeds("poor_host", {"nofile_kept"}));
}

TEST(DescriptorLimit, IsTheCommandsWhereItAsksForOne) {  // D5
  EngineFixture host;
  const nr::Command limits = sh("ulimit -Sn; ulimit -Hn");
  for (std::size_t round = 0; round < scaled(500, 10); ++round) {
    EXPECT_EQ(host.run(limits.resource_limit({RLIMIT_NOFILE, 256, 512})).out.head, "256\n512\n");
  }
}

TEST(DescriptorLimit, ThatIsHugeCostsNothing) {  // D1: no loop up to it.
  EngineFixture host;
  nr::Nanoseconds few = nr::Nanoseconds::max(), many = nr::Nanoseconds::max();
  rlimit own{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &own), 0);
  const rlim_t huge = std::min<rlim_t>(own.rlim_max, 1'000'000);
  if (huge < 10'000) GTEST_SKIP() << "this process may have " << huge << " descriptors only";
  const auto best_of = [&host](std::uint64_t limit, nr::Nanoseconds& best) {
    const Stopwatch watch;
    EXPECT_TRUE(host.run(child("instant_exit", "0").resource_limit({RLIMIT_NOFILE, limit, limit})).success());
    best = std::min(best, watch.elapsed());
  };
  for (int round = 0; round < 30; ++round) {
    best_of(1024, few);
    best_of(huge, many);
  }
  EXPECT_LT(many, few * 5 + 5ms);
}

TEST(DescriptorTags, NoByteOfOneCommandIsReadInAnother) {  // D7
  EngineFixture host;
  std::vector<std::jthread> threads;
  for (unsigned thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&host, thread] {
      std::mt19937 random(thread);
      for (std::size_t round = 0; round < scaled(1000, 25); ++round) {
        const std::string tag = "<" + std::to_string(thread) + "." + std::to_string(round) + ">";
        Running yes = host.spawn(nr::Command("yes", tag));
        std::string seen;
        for (unsigned reads = random() % 4; reads > 0; --reads) {
          auto chunk = nr::blocking::read(yes.process(), nr::Stream::out,
                                          nr::Deadline::after(std::chrono::microseconds(random() % 2000)));
          if (chunk && *chunk) seen += (*chunk)->text();
        }
        for (std::size_t at = 0; at < seen.size(); ++at) {
          ASSERT_EQ(seen[at], (tag + "\n")[at % (tag.size() + 1)]) << "at " << at << " of " << tag;
        }
        if (random() % 2 == 0) yes.process().kill();
      }
    });
  }
}

}  // namespace
}  // namespace tests
