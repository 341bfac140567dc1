/// Who a command runs as and under which limits: seen from inside, in /proc/self.

#include <algorithm>
#include <csignal>
#include <grp.h>
#include <sched.h>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

#define SKIP_UNLESS_ROOT() \
  if (geteuid() != 0) GTEST_SKIP() << "only root may become somebody else"

namespace tests {
namespace {

/// The words after "Name:" in the status of a `cat /proc/self/status`.
std::string status_field(EngineFixture& host, const nr::Command& like, const std::string& name) {
  nr::Command cat = nr::Command("cat", "/proc/self/status").identity(like.spec().identity);
  if (like.spec().no_new_privs) cat = cat.no_new_privs();
  if (!like.spec().cpus.empty()) cat = cat.cpus(like.spec().cpus);
  std::istringstream lines(host.run(cat).out.head);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(name + ":", 0) != 0) continue;
    std::string text = line.substr(name.size() + 1);
    text.erase(0, text.find_first_not_of(" \t"));
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.pop_back();
    std::replace(text.begin(), text.end(), '\t', ' ');
    return text;
  }
  return "no such field";
}
const nr::Command plain{"cat"};

TEST(Identity, UserAndGroupAreAllFourIds) {
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const nr::Command nobody = plain.identity({.uid = 65534, .gid = 65533, .groups = {}});
  EXPECT_EQ(status_field(host, nobody, "Uid"), "65534 65534 65534 65534");
  EXPECT_EQ(status_field(host, nobody, "Gid"), "65533 65533 65533 65533");
}

TEST(Identity, SupplementaryGroupsAreNeverTheHosts) {  // C12
  SKIP_UNLESS_ROOT();
  std::vector<gid_t> before(static_cast<std::size_t>(std::max(0, getgroups(0, nullptr))));
  (void)getgroups(static_cast<int>(before.size()), before.data());
  const gid_t hosts[] = {4, 27, 100};
  ASSERT_EQ(setgroups(3, hosts), 0);
  {
    EngineFixture host;
    const std::string none = status_field(host, plain.identity({.uid = 65534, .gid = 65533, .groups = {}}), "Groups");
    EXPECT_TRUE(none.empty() || none == "65533") << none;
    EXPECT_EQ(status_field(host, plain.identity({.uid = 65534, .gid = 65533, .groups = std::vector<gid_t>{7, 8}}),
                           "Groups"), "7 8");
    EXPECT_EQ(status_field(host, plain.identity({.uid = 65534, .gid = 65533, .groups = std::vector<gid_t>{}}),
                           "Groups"), "");
    EXPECT_EQ(status_field(host, plain, "Groups"), "4 27 100") << "without a uid nothing changes";
  }
  setgroups(before.size(), before.data());
}

TEST(Identity, AUserByNameHasItsOwnGroups) {
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const nr::Command daemon = value_of(plain.user("daemon"));
  const std::string uid = std::to_string(*daemon.spec().identity.uid);
  EXPECT_EQ(status_field(host, daemon, "Uid"), uid + " " + uid + " " + uid + " " + uid);
  const nr::Completed groups = host.run(value_of(nr::Command("id", "-G").user("daemon")));
  const nr::Completed right = host.run(nr::Command("id", "-G", "daemon"));
  EXPECT_EQ(groups.out.head, right.out.head);
}

TEST(Identity, AUserKeepsNoCapability) {
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const nr::Command nobody = plain.identity({.uid = 65534, .gid = 65534, .groups = {}});
  EXPECT_EQ(status_field(host, nobody, "CapEff"), "0000000000000000");
  EXPECT_EQ(status_field(host, nobody, "CapPrm"), "0000000000000000");
}

TEST(Identity, NoNewPrivileges) {
  EngineFixture host;
  EXPECT_EQ(status_field(host, plain, "NoNewPrivs"), "0");
  EXPECT_EQ(status_field(host, plain.no_new_privs(), "NoNewPrivs"), "1");
}

TEST(Identity, TheCommandOfAnotherUserIsStoppedAsAnyOther) {  // K17
  SKIP_UNLESS_ROOT();
  EngineFixture host;
  const nr::Ended ended = host.run(sh("sleep 1000 & sleep 1000")
                                       .identity({.uid = 65534, .gid = 65534, .groups = {}})
                                       .deadline(patience(300ms)))
                              .ended;
  EXPECT_EQ(ended.reason, nr::EndReason::deadline);
  EXPECT_TRUE(ended.tree_empty);
}

TEST(Surroundings, Umask) {
  EngineFixture host;
  const mode_t own = umask(027);
  EXPECT_EQ(host.run(sh("umask").umask(077)).out.head, "0077\n");
  EXPECT_EQ(host.run(sh("umask").umask(0)).out.head, "0000\n");
  umask(own);
}

TEST(Surroundings, Niceness) {
  EngineFixture host;
  EXPECT_EQ(host.run(nr::Command("nice")).out.head, std::to_string(getpriority(PRIO_PROCESS, 0)) + "\n");
  EXPECT_EQ(host.run(nr::Command("nice").nice(11)).out.head, "11\n");
}

TEST(Surroundings, OomScoreIsTheCommandsAlone) {
  nr::EngineOptions one_shard;
  one_shard.shards = 1;  // The next command is the same shepherd's.
  EngineFixture host{one_shard};
  const nr::Command score("cat", "/proc/self/oom_score_adj");
  const std::string own = file_text("/proc/self/oom_score_adj");
  Running beside = host.spawn(nr::Command("sleep", "300").ladder(nr::KillLadder::at_once()));
  EXPECT_EQ(host.run(score.oom_score_adj(321)).out.head, "321\n");
  EXPECT_EQ(host.run(score).out.head, own);
  EXPECT_EQ(file_text("/proc/" + std::to_string(beside.pid()) + "/oom_score_adj"), own);
  EXPECT_EQ(file_text("/proc/" + std::to_string(host.shard_stats().shepherd_pid) + "/oom_score_adj"), own);
}

TEST(Surroundings, Cores) {
  EngineFixture host;
  cpu_set_t own;
  ASSERT_EQ(sched_getaffinity(0, sizeof own, &own), 0);
  for (int cpu = 0; cpu < 64; ++cpu) {
    if (!CPU_ISSET(cpu, &own)) continue;
    EXPECT_EQ(status_field(host, plain.cpus({cpu}), "Cpus_allowed_list"), std::to_string(cpu));
  }
  EXPECT_EQ(host.run(nr::Command("nproc")).out.head, std::to_string(CPU_COUNT(&own)) + "\n");
}

TEST(Surroundings, EveryResourceLimit) {
  EngineFixture host;
  const nr::Command limits = nr::Command("cat", "/proc/self/limits")
                                 .resource_limit({RLIMIT_CORE, 0, 4096})
                                 .resource_limit({RLIMIT_FSIZE, 1 * MiB, 2 * MiB})
                                 .resource_limit({RLIMIT_CPU, 7, 9})
                                 .resource_limit({RLIMIT_NOFILE, 123, 456});
  std::istringstream lines(host.run(limits).out.head);
  std::vector<std::string> found;
  for (std::string line; std::getline(lines, line);) {
    for (const char* name : {"Max core file size", "Max file size", "Max cpu time", "Max open files"}) {
      if (line.rfind(name, 0) != 0) continue;
      std::istringstream words(line.substr(26));
      std::string soft, hard;
      words >> soft >> hard;
      found.push_back(soft + ":" + hard);
    }
  }
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"0:4096", "1048576:2097152", "123:456", "7:9"}));
}

TEST(Surroundings, ALimitEndsACommandByItsOwnSignal) {
  EngineFixture host;
  const nr::Ended ended = host.run(sh("while :; do :; done").resource_limit({RLIMIT_CPU, 1, 2})).ended;
  EXPECT_EQ(end_signal(ended), SIGXCPU);
  EXPECT_EQ(ended.reason, nr::EndReason::signaled);
}

TEST(Surroundings, GroupAndSession) {
  EngineFixture host;
  const nr::Command ids = nr::Command("python3", "-S", "-c", "import os;print(os.getpid()==os.getpgid(0),"
                                                             "os.getpid()==os.getsid(0))");
  EXPECT_EQ(host.run(ids).out.head, "True False\n");
  EXPECT_EQ(host.run(ids.grouping(nr::Grouping::own_session)).out.head, "True True\n");
}

TEST(Surroundings, JoiningAGroupIsNotOwningIt) {
  EngineFixture host({.shards = 1});
  const Running leader = host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null()));
  Running member = host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null())
                                  .grouping(nr::Grouping::join, leader.pid()));
  EXPECT_EQ(getpgid(member.pid()), leader.pid());
  member.process().kill();
  EXPECT_EQ(end_signal(member.wait()), SIGKILL);
  EXPECT_EQ(getpgid(leader.pid()), leader.pid()) << "the group was killed with its member";
}

TEST(Surroundings, ATerminalIsNotThere) {
  EngineFixture host;
  EXPECT_NE(exit_code(host.run(sh("exec 3</dev/tty")).ended), 0);
}

}  // namespace
}  // namespace tests
