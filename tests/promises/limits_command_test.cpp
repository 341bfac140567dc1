/// Limits on the command line: what is reported, what can't be had, and what is left when netrunner dies. C8, C10.

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/limit_support.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

TEST(CommandLimits, AreInTheReportWithThePeaks) {
  SKIP_WITHOUT_LIMIT("memory_max");
  SKIP_WITHOUT_LIMIT("swap_max");
  const CommandResult result =
      netrunner_command({"run", "--memory", "64M", "--memory-swap", "0", "--pids", "64", "--cpu", "1.5", "--cpu-weight",
                         "50", "--cpu-time", "10s", "--nofile", "256", "--report", "-", "--", "sh", "-c", "ulimit -n"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_TRUE(result.out.starts_with("256\n")) << result.out;
  EXPECT_EQ(json_value(result.out, "limit"), "memory_max");
  EXPECT_EQ(json_value(result.out, "value"), "67108864");
  EXPECT_EQ(json_value(result.out, "applied"), "true");
  for (const char* limit : {"swap_max", "pids_max", "cpu_quota", "cpu_weight", "cpu_time"}) {
    EXPECT_NE(result.out.find("\"" + std::string(limit) + "\""), std::string::npos) << limit;
  }
  EXPECT_GT(std::stol("0" + json_value(result.out, "memory_peak")), 0) << result.out;
  EXPECT_EQ(json_value(result.out, "scope"), "tree");
}

TEST(CommandLimits, OutOfMemoryIsSaidAndIs137) {
  SKIP_WITHOUT_LIMIT("memory_max");
  const CommandResult result =
      netrunner_command({"run", "--memory", "20M", "--cpu-time", "60s", "--", child_path("eat_memory"), "300"});
  EXPECT_EQ(result.exit_status, 137) << result.err;
  EXPECT_NE(result.err.find("out_of_memory"), std::string::npos) << result.err;
}

TEST(CommandLimits, CpuTimeIs124) {
  SKIP_WITHOUT_LIMIT("cpu_time");
  const CommandResult result =
      netrunner_command({"run", "--cpu-time", "100ms", "--ladder", "KILL", "--", child_path("burn_cpu"), "2"});
  EXPECT_EQ(result.exit_status, 124) << result.err;
  EXPECT_NE(result.err.find("cpu_time; killed by SIGKILL"), std::string::npos) << result.err;
}

TEST(CommandLimits, EachGivesThemToEveryJob) {
  SKIP_WITHOUT_LIMIT("memory_max");
  SKIP_WITHOUT_LIMIT("cpu_time");
  const CommandResult files = netrunner_command({"each", "-k", "--nofile", "77", "--rlimit", "core=0", "--", "sh", "-c",
                                                 "ulimit -n; ulimit -c; : {}", ":::", "a", "b"});
  EXPECT_EQ(files.out, "77\n0\n77\n0\n") << files.err;
  const CommandResult result = netrunner_command(
      {"each", "-k", "--memory", "20M", "--", child_path("eat_memory"), "{}", ":::", "300", "1", "300"});
  EXPECT_EQ(result.exit_status, 2) << result.err;
  EXPECT_NE(result.err.find("job 1: out_of_memory"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("job 3: out_of_memory"), std::string::npos) << result.err;
  const CommandResult spent = netrunner_command({"each", "--cpu-time", "100ms", "--ladder", "KILL", "--",
                                                 child_path("burn_cpu"), ":::", "1"});
  EXPECT_NE(spent.err.find("cpu_time; killed by SIGKILL"), std::string::npos) << spent.err;
}

TEST(CommandLimits, APipelineGivesThemToEachOfItsCommands) {
  SKIP_WITHOUT_LIMIT("memory_max");
  const CommandResult files = netrunner_command(
      {"pipeline", "--nofile", "66", "--", "sh", "-c", "ulimit -n", ":::", "sh", "-c", "cat; ulimit -n"});
  EXPECT_EQ(files.out, "66\n66\n") << files.err;
  const CommandResult result = netrunner_command(
      {"pipeline", "--memory", "20M", "--", "true", ":::", child_path("eat_memory"), "300", ":::", "true"});
  EXPECT_EQ(result.exit_status, 137) << result.err;
  EXPECT_NE(result.err.find("out_of_memory"), std::string::npos) << result.err;
}

TEST(CommandLimits, NonsenseIsRefusedWithTheValueShown) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--memory", "lots"}, {"--pids", "0"}, {"--cpu", "0"}, {"--cpu", "nan"},
        {"--cpu-weight", "10001"}, {"--cpuset", "0-"}, {"--cpu-time", "-1s"}, {"--oom-group", "perhaps"}}) {
    std::vector<std::string> all = {"run", words[0], words[1], "--", "true"};
    const CommandResult result = netrunner_command(std::move(all));
    EXPECT_EQ(result.exit_status, 125) << words[0] << " " << words[1];
    EXPECT_NE(result.err.find(words[1]), std::string::npos) << result.err;
  }
}

TEST(CommandLimits, AUserWithoutAGroupOfItsOwnIsToldWhyInOneLine) {  // C10
  if (geteuid() != 0) GTEST_SKIP() << "only root can become nobody for this";
  const std::string as_nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups \"$NR\" run --pids 9 ";
  const CommandResult refused = netrunner_script(as_nobody + "-- true");
  EXPECT_EQ(refused.exit_status, 125) << refused.out;
  EXPECT_TRUE(refused.err.starts_with("netrunner run: cgroup pids_max: ")) << refused.err;
  EXPECT_EQ(std::ranges::count(refused.err, '\n'), 1) << refused.err;
  EXPECT_NE(refused.err.find("Delegate=yes"), std::string::npos) << refused.err;
  const CommandResult tolerated = netrunner_script(as_nobody + "--best-effort-limits -- echo ran");
  EXPECT_EQ(tolerated.exit_status, 0) << tolerated.err;
  EXPECT_EQ(tolerated.out, "ran\n");
  EXPECT_NE(tolerated.err.find("pids_max was not applied: "), std::string::npos) << tolerated.err;
}

/// A group of our own below ours that is handed to nobody, as systemd does with Delegate=yes. v2 with controllers only.
class DelegatedGroup {
 public:
  DelegatedGroup() : path_(own_cgroup_path() + "/netrunner-test-" + std::to_string(getpid())) {
    std::filesystem::create_directory(path_);
    for (const char* file : {"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"}) {
      EXPECT_EQ(chown((path_ + file).c_str(), 65534, 65534), 0) << file;
    }
  }
  DelegatedGroup(const DelegatedGroup&) = delete;
  DelegatedGroup& operator=(const DelegatedGroup&) = delete;
  ~DelegatedGroup() {
    EXPECT_TRUE(eventually([&] { return remove(path_); })) << path_;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static bool remove(const std::string& group) {
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(group, failed)) {
      if (entry.is_directory(failed)) (void)remove(entry.path().string());
    }
    return ::rmdir(group.c_str()) == 0 || errno == ENOENT;
  }
  std::string path_;
};

class DelegatedLimits : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can delegate a group";
    const std::string controllers = file_text(own_cgroup_path() + "/cgroup.subtree_control");
    if (controllers.find("memory") == std::string::npos) {
      GTEST_SKIP() << "cgroup v2 hands no memory controller down here (v1 has it, or it is the machine's)";
    }
  }
};

TEST_F(DelegatedLimits, WorkForAnUnprivilegedUserAloneInItsGroup) {  // C10
  const DelegatedGroup group;
  const std::string script = "echo $$ > " + group.path() +
                             "/cgroup.procs && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$NR\" run "
                             "--memory 20M --pids 9 --report - -- " +
                             child_path("eat_memory") + " 300";
  const CommandResult result = netrunner_script(script);
  EXPECT_EQ(result.exit_status, 137) << result.err;
  EXPECT_EQ(json_value(result.out, "reason"), "out_of_memory");
  EXPECT_EQ(json_value(result.out, "by"), "cgroup v2");
}

TEST_F(DelegatedLimits, AStrangerInTheGroupIsNamedAndNotMoved) {  // C10
  const DelegatedGroup group;
  // The shell stays in the group, so that no controller can be handed down from it.
  const std::string script = "echo $$ > " + group.path() +
                             "/cgroup.procs && setpriv --reuid=65534 --regid=65534 --clear-groups \"$NR\" run "
                             "--memory 20M -- true; echo $?; cat /proc/self/cgroup";
  const CommandResult result = netrunner_script(script);
  EXPECT_TRUE(result.out.starts_with("125\n")) << result.out;
  EXPECT_NE(result.err.find("(sh) in it isn't ours to move"), std::string::npos) << result.err;
  EXPECT_EQ(result.out.find("netrunner-host"), std::string::npos) << result.out;
}

/// `netrunner run` with limits, and a command in it that stays.
class Limited {
 public:
  Limited() : line_(netrunner_argv({"run", "--memory", "64M", "--pids", "20", "--ladder", "KILL", "--", "sh", "-c",
                                    "echo ready; exec sleep 300"})) {
    EXPECT_TRUE(eventually([&] { return line_.out().find("ready") != std::string::npos; })) << line_.err();
    EXPECT_FALSE(own_limit_groups(line_.pid()).empty());
  }
  [[nodiscard]] CommandLine& line() { return line_; }
  [[nodiscard]] pid_t pid() const { return line_.pid(); }

 private:
  CommandLine line_;
};

/// Each holds a pidfd of its host.
std::vector<ProcessEntry> shepherds_of(pid_t host) {
  std::vector<ProcessEntry> all = processes();
  std::erase_if(all, [&](const ProcessEntry& entry) {
    if (entry.name != "nr-shepherd") return true;
    std::error_code failed;
    const std::filesystem::directory_iterator descriptors("/proc/" + std::to_string(entry.pid) + "/fdinfo", failed);
    return std::ranges::none_of(descriptors, [&](const std::filesystem::directory_entry& descriptor) {
      return file_text(descriptor.path().string()).find("Pid:\t" + std::to_string(host) + "\n") != std::string::npos;
    });
  });
  return all;
}

TEST(CommandLimits, NoGroupIsLeftWhenItIsInterrupted) {  // C8
  SKIP_WITHOUT_LIMIT("memory_max");
  Limited run;
  run.line().signal(SIGINT);
  (void)run.line().wait();
  EXPECT_TRUE(eventually([&] { return own_limit_groups(run.pid()).empty(); }, 3s))
      << joined(own_limit_groups(run.pid()));
}

TEST(CommandLimits, NoGroupIsLeftWhenItIsKilled) {  // C8
  SKIP_WITHOUT_LIMIT("memory_max");
  Limited run;
  kill(run.pid(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return own_limit_groups(run.pid()).empty(); }, 5s))
      << joined(own_limit_groups(run.pid()));
}

TEST(CommandLimits, TheNextStartRemovesWhatNobodyWasLeftToRemove) {  // C8
  SKIP_WITHOUT_LIMIT("memory_max");
  Limited run, other;
  // A host of one shard has two shepherds, the second a moment after the first.
  const auto shepherds = [&] { return shepherds_of(run.pid()); };
  ASSERT_TRUE(eventually([&] { return shepherds().size() == 2; })) << to_string(shepherds());
  const std::vector<ProcessEntry> doomed = shepherds();
  for (const ProcessEntry& shepherd : doomed) kill(shepherd.pid, SIGSTOP);
  kill(run.pid(), SIGKILL);
  for (const ProcessEntry& shepherd : doomed) kill(shepherd.pid, SIGKILL);
  // Who is still dying isn't dead, and one start sweeps once.
  ASSERT_TRUE(eventually([&] {
    return !is_running(run.pid()) &&
           std::ranges::none_of(doomed, [](const ProcessEntry& shepherd) { return is_running(shepherd.pid); });
  }));
  EXPECT_FALSE(own_limit_groups(run.pid()).empty()) << "nobody was left to remove them";
  EXPECT_EQ(netrunner_command({"run", "--", "true"}).exit_status, 0);
  EXPECT_TRUE(eventually([&] { return own_limit_groups(run.pid()).empty(); }, 5s))
      << joined(own_limit_groups(run.pid()));
  EXPECT_FALSE(own_limit_groups(other.pid()).empty()) << "of a living instance";
  other.line().signal(SIGINT);
  (void)other.line().wait();
}

}  // namespace
}  // namespace tests
