/// A cgroup per command: who is in it, that it goes, and that nothing stops the one who kills it. C1, C3, C8, W3.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bystander.hpp"
#include "tests/support/captures.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

const nr::KillLadder short_ladder = {{SIGTERM, nr::Target::group, 100ms}};

class CgroupContainment : public testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT_CONTAINMENT(nr::Containment::cgroup); }
  void TearDown() override {
    EXPECT_TRUE(eventually([] { return own_instance_cgroups().empty(); }, 2s))
        << own_instance_cgroups().size() << " are left, as " << own_instance_cgroups().front();
  }
  [[nodiscard]] static nr::EngineOptions options() { return options_of(nr::Containment::cgroup); }
};

/// The folder of the v2 group that a process is in.
std::string folder_of(pid_t pid) {
  const std::string text = proc_file(pid, "cgroup");
  const std::size_t at = text.find("0::");
  if (at == std::string::npos) return {};
  const std::string group = text.substr(at + 3, text.find('\n', at) - at - 3);
  const std::string own = proc_file(getpid(), "cgroup");
  const std::size_t own_at = own.find("0::");
  const std::string our_group = own.substr(own_at + 3, own.find('\n', own_at) - own_at - 3);
  return own_cgroup_path() + "/" + group.substr(our_group == "/" ? 1 : our_group.size() + 1);
}

TEST_F(CgroupContainment, ACommandIsBornInsideAndItsShepherdNeverIs) {  // C3
  EngineFixture host{options()};
  const pid_t shepherd = host.shard_stats().shepherd_pid;
  bool shepherd_was_inside = false;
  std::jthread watcher([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const bool inside = proc_file(shepherd, "cgroup").find("netrunner-") != std::string::npos;
      shepherd_was_inside = shepherd_was_inside || inside;
      std::this_thread::sleep_for(500us);
    }
  });
  const nr::Command first_thing("cat", "/proc/self/cgroup");
  for (std::size_t n = 0; n < scaled(1000, 100); ++n) {
    const nr::Completed completed = host.run(first_thing);
    const std::size_t at = completed.out.head.find("0::");
    ASSERT_NE(completed.out.head.find("/netrunner-", at), std::string::npos) << completed.out.head;
  }
  watcher.request_stop();
  watcher.join();
  EXPECT_FALSE(shepherd_was_inside);
}

TEST_F(CgroupContainment, EachCommandThatRunsHasOneOfItsOwn) {
  EngineFixture host{options()};
  Running one = host.spawn(nr::Command("sleep", "1000").ladder(short_ladder));
  Running other = host.spawn(nr::Command("sleep", "1000").ladder(short_ladder));
  EXPECT_NE(folder_of(one.pid()), folder_of(other.pid()));
  EXPECT_TRUE(std::filesystem::is_directory(folder_of(one.pid()))) << folder_of(one.pid());
}

TEST_F(CgroupContainment, NoneIsLeftWhateverTheEnd) {  // C8
  EngineFixture host{options()};
  for (std::size_t n = 0; n < scaled(500, 50); ++n) {
    (void)host.run(nr::Command("true"));
    (void)host->run(nr::Command("/no/such/program"));
    (void)host->run(sh("sleep 300").deadline(1ms).ladder(short_ladder));
    (void)host.run(sh("kill -9 $$"));
    { const Running dropped = host.spawn(nr::Command("sleep", "300").ladder(short_ladder)); }
  }
  // What never was killed may wait to be used again; it is bounded.
  EXPECT_TRUE(eventually([] { return own_instance_cgroups().size() <= 64; })) << own_instance_cgroups().size();
  EXPECT_TRUE(host->close().complete);
  EXPECT_TRUE(own_instance_cgroups().empty()) << own_instance_cgroups().front();
}

TEST_F(CgroupContainment, NoneIsLeftByAShepherdThatIsKilled) {  // C8
  EngineFixture host{options()};
  for (int n = 0; n < 3; ++n) {
    Running command = host.spawn(nr::Command("sleep", "300"));
    kill(host.shard_stats().shepherd_pid, SIGKILL);
    EXPECT_EQ(command.wait().reason, nr::EndReason::shepherd_lost);
    EXPECT_TRUE(eventually([&] { return host->run(nr::Command("true")).has_value(); }));
  }
  EXPECT_TRUE(eventually([&] { return host.shard_stats().groups_left == 0; }));
}

TEST_F(CgroupContainment, WhatACommandMadeInItsOwnGoesToo) {  // C1
  if (geteuid() != 0) GTEST_SKIP() << "a command may make groups in its own only as root here";
  EngineFixture host{options()};
  const std::string script = "mount=$0; own=$(sed -n s/^0:://p /proc/self/cgroup); leaf=$mount$own; "
                             "mkdir -p $leaf/a/b $leaf/c || exit 1; "
                             "(echo 0 > $leaf/a/b/cgroup.procs; sleep 300) & (echo 0 > $leaf/c/cgroup.procs; "
                             "sleep 300) & i=0; while [ $i -lt 50 ]; do sleep 300 & i=$((i+1)); done; "
                             "echo ready; sleep 300";
  std::string mount = own_cgroup_path();
  const std::string own = proc_file(getpid(), "cgroup");
  const std::size_t at = own.find("0::/") + 3;
  const std::string group = own.substr(at, own.find('\n', at) - at);
  if (group != "/") mount.resize(mount.size() - group.size());
  for (std::size_t round = 0; round < scaled(200, 5); ++round) {
    Running nesting = host.spawn(nr::Command("/bin/sh", "-c", script, mount).ladder(short_ladder));
    ASSERT_EQ(nesting.read_exactly(6), "ready\n");
    const std::string leaf = folder_of(nesting.pid());
    ASSERT_TRUE(std::filesystem::is_directory(leaf + "/a/b"));
    nesting.process().kill();
    EXPECT_TRUE(nesting.wait().tree_empty);
    EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(leaf + "/a"); }, 2s)) << leaf;
  }
}

TEST_F(CgroupContainment, OneThatSomebodyElseKilledOrFrozeIsNotUsedAgain) {
  EngineFixture host{options()};
  for (const auto& [file, signal] : {std::pair{"/cgroup.kill", 0}, {"/cgroup.freeze", SIGTERM}}) {
    Running command = host.spawn(nr::Command("sleep", "1000"));
    std::ofstream(folder_of(command.pid()) + file) << "1" << std::flush;
    kill(command.pid(), signal);
    kill(command.pid(), SIGKILL);
    (void)command.wait();
    for (int n = 0; n < 3; ++n) EXPECT_TRUE(host.run(nr::Command("true").deadline(patience(5s))).success()) << file;
  }
  // In the middle of a start, where it is its own end.
  for (int n = 0; n < 3; ++n) {
    (void)host.run(sh("echo 1 > " + own_cgroup_mount() + "$(sed -n s/^0:://p /proc/self/cgroup)/cgroup.kill"));
    EXPECT_TRUE(host.run(nr::Command("true")).success());
  }
}

TEST_F(CgroupContainment, AKilledOneIsNotUsedAgain) {  // The kernel kills whoever is born in one.
  EngineFixture host{options()};
  for (int n = 0; n < 200; ++n) {
    Running killed = host.spawn(nr::Command("sleep", "300"));
    killed.process().kill();
    EXPECT_EQ(end_signal(killed.wait()), SIGKILL);
    ASSERT_TRUE(host.run(nr::Command("true")).success()) << "run " << n;
  }
}

TEST_F(CgroupContainment, AFrozenCommandIsKilledInBoundedTime) {  // W3
  EngineFixture host{options()};
  WithEscapee both = with_escapee(host, child("escapee", "stay", "deaf").ladder(short_ladder));
  const std::string leaf = folder_of(both.command.pid());
  std::ofstream(leaf + "/cgroup.freeze") << 1 << std::flush;
  ASSERT_TRUE(eventually([&] { return file_text(leaf + "/cgroup.events").find("frozen 1") != std::string::npos; }));
  const Stopwatch watch;
  both.command.process().stop();
  EXPECT_TRUE(host.run(nr::Command("true")).success()) << "others wait for it";
  EXPECT_TRUE(both.command.wait().tree_empty);
  EXPECT_FALSE(is_running(both.escapee));
  EXPECT_LT(watch.elapsed(), patience(3s));
}

TEST_F(CgroupContainment, ManyStopsAtOnceReachEveryEscapee) {
  EngineFixture host{options()};
  std::vector<WithEscapee> all;
  for (std::size_t n = 0; n < scaled(300, 30); ++n) {
    all.push_back(with_escapee(host, child("escapee", "stay", "deaf").ladder(short_ladder)));
  }
  for (WithEscapee& one : all) one.command.process().stop();
  for (WithEscapee& one : all) {
    EXPECT_TRUE(one.command.wait().tree_empty);
    EXPECT_FALSE(is_running(one.escapee));
  }
}

/// The group of an owner that never was, with a process in it.
class DeadInstance {
 public:
  DeadInstance() {
    EngineFixture host{options_of(nr::Containment::cgroup)};
    const std::vector<std::string> own = own_instance_cgroups();
    if (own.empty()) return;
    // The name of a live instance with another start time: this pid, but not this process.
    path_ = own_cgroup_path() + "/" + std::filesystem::path(own.front()).filename().string() + "7";
    (void)::mkdir(path_.c_str(), 0755);
    (void)::mkdir((path_ + "/shard-0").c_str(), 0755);
    std::ofstream(path_ + "/shard-0/cgroup.procs") << left_.pid() << std::flush;
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] pid_t left() const { return left_.pid(); }

 private:
  Bystander left_{{"sleep", "1000"}};
  std::string path_;
};

TEST_F(CgroupContainment, AStartEndsWhatDeadOwnersLeft) {  // K2, C8
  const DeadInstance dead;
  ASSERT_TRUE(std::filesystem::is_directory(dead.path() + "/shard-0"));
  const EngineFixture live{options()};  // The sweep comes with the first engine of a process or with each: either way.
  EXPECT_TRUE(eventually([&] { return !is_running(dead.left()); }, 2s));
  EXPECT_TRUE(eventually([&] { return !std::filesystem::exists(dead.path()); }, 2s));
}

TEST_F(CgroupContainment, AStartLeavesWhatLiveOwnersHave) {  // C8
  EngineFixture first{options()};
  Running command = first.spawn(nr::Command("sleep", "1000").ladder(short_ladder));
  const std::string folder = folder_of(command.pid());
  const EngineFixture second{options()};
  EXPECT_TRUE(std::filesystem::is_directory(folder));
  EXPECT_TRUE(remains([&] { return is_running(command.pid()); }));
}

}  // namespace
}  // namespace tests
