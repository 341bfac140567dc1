/// A PID namespace for a host that isn't root: by a user namespace where those are allowed, else an error by name.

#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/proc.hpp"

namespace tests {
namespace {

/// Empty: nobody may make a PID namespace of his own here.
std::string why_not_unprivileged() {
  const CommandResult made =
      CommandLine({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "--user", "--pid",
                   "--fork", "true"})
          .wait();
  return made.exit_status == 0 ? std::string() : "no unprivileged user namespaces: " + made.err;
}

TEST(UnprivilegedPidNamespace, AHostThatIsKilledTakesThemAll) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else for a while";
  if (const std::string reason = why_not_unprivileged(); !reason.empty()) GTEST_SKIP() << reason;
  for (const std::string hearing : {"deaf", "unmarked"}) {
    HostProgram host("contained_host", {"nobody/pid_namespace", "3", "stay", hearing});
    ASSERT_TRUE(host.reports("ready"));
    const std::vector<pid_t> escapees = host.reported("escapee");
    ASSERT_EQ(escapees.size(), 3U);
    for (const pid_t pid : escapees) {
      EXPECT_NE(proc_file(pid, "status").find("Uid:\t65534\t65534"), std::string::npos) << "it isn't nobody's";
      EXPECT_TRUE(is_running(pid));
    }
    host.kill();
    for (const pid_t pid : escapees) EXPECT_TRUE(eventually([&] { return !is_running(pid); })) << hearing;
  }
}

// Alone: it knows the shepherds by their user.
TEST(UnprivilegedPidNamespaceCrowd, AHostThatDiesWithItsShepherdsTakesThemAll) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can be somebody else for a while";
  if (const std::string reason = why_not_unprivileged(); !reason.empty()) GTEST_SKIP() << reason;
  HostProgram host("contained_host", {"nobody/pid_namespace", "3", "stay", "unmarked"});
  ASSERT_TRUE(host.reports("ready"));
  const std::vector<pid_t> escapees = host.reported("escapee");
  ASSERT_EQ(escapees.size(), 3U);
  std::vector<pid_t> shepherds;
  for (const ProcessEntry& entry : processes_with_arguments("netrunner-shepherd")) {
    if (proc_file(entry.pid, "status").find("Uid:\t65534") != std::string::npos) shepherds.push_back(entry.pid);
  }
  ASSERT_FALSE(shepherds.empty());
  host.kill(SIGSTOP);  // All in one instant: none of them sees another die.
  for (const pid_t pid : shepherds) kill(pid, SIGSTOP);
  for (const pid_t pid : shepherds) kill(pid, SIGKILL);
  host.kill();
  for (const pid_t pid : escapees) EXPECT_TRUE(eventually([&] { return !is_running(pid); }));
}

TEST(UnprivilegedPidNamespace, AHostThatChangedItsUserWithoutAnExecIsToldWhatToDo) {
  if (const std::string reason = why_not_unprivileged(); !reason.empty()) GTEST_SKIP() << reason;
  EXPECT_TRUE(host_succeeds("unprivileged_host", {"namespace"}));
}

TEST(UnprivilegedPidNamespace, WhereItIsForbiddenTheErrorSaysWhatForbidsIt) {
  // Inside a user namespace of our own its limit of further ones is ours to set.
  const std::string script =
      "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" run --containment pid-namespace -- true";
  const CommandResult forbidden =
      CommandLine({"unshare", "--map-user=65534", "--map-group=65534", "--keep-caps", "sh", "-c", script,
                   netrunner_argv({}).front()})
          .wait();
  if (forbidden.err.find("unshare:") != std::string::npos || forbidden.err.find("cannot create") != std::string::npos) {
    GTEST_SKIP() << forbidden.err;
  }
  EXPECT_EQ(forbidden.exit_status, 125);
  EXPECT_NE(forbidden.err.find("a PID namespace is not to be had here"), std::string::npos) << forbidden.err;
  EXPECT_NE(forbidden.err.find("user.max_user_namespaces"), std::string::npos) << forbidden.err;
}

}  // namespace
}  // namespace tests
