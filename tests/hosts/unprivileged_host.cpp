/// unprivileged_host REPORT refused|setuid|namespace: a host that is not root.
///   refused  what needs privilege fails, and the error names the step
///   namespace  without an exec since it was root it can't have a PID namespace, and the error says why
///   setuid   a command that became root can't be killed: the result comes in bounded time and says EPERM. (Needs to
///            be started as root, to make the file; does nothing otherwise.)

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/contained.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/nobody.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

void check_step(HostReport& report, EngineFixture& host, const nr::Command& command, nr::Stage first, nr::Stage last) {
  const nr::Error error = refusal(host, command);
  report.say("%s", error.message().c_str());
  HOST_CHECK(error.code == nr::ErrorCode::permission_denied);
  HOST_CHECK(error.sys_errno == EPERM || error.sys_errno == EACCES);
  HOST_CHECK(error.stage >= first && error.stage <= last);
}

void refused(HostReport& report) {
  become_nobody();
  EngineFixture host;
  const nr::Command command("true");
  HOST_CHECK(host.run(command).success());
  const TempFolder closed;
  std::filesystem::permissions(closed.path(), std::filesystem::perms(0600));
  check_step(report, host, command.cwd(closed.path()), nr::Stage::cwd, nr::Stage::cwd);  // X2
  check_step(report, host, command.identity({.uid = 0, .gid = {}, .groups = {}}), nr::Stage::groups, nr::Stage::uid);
  check_step(report, host, command.identity({.uid = {}, .gid = 0, .groups = {}}), nr::Stage::groups, nr::Stage::gid);
  check_step(report, host, command.oom_score_adj(-900), nr::Stage::oom_score, nr::Stage::oom_score);
  rlimit own{};
  getrlimit(RLIMIT_NOFILE, &own);
  check_step(report, host, command.resource_limit({RLIMIT_NOFILE, own.rlim_max, own.rlim_max + 1}), nr::Stage::rlimit,
             nr::Stage::rlimit);
  check_step(report, host, command.nice(-20), nr::Stage::nice, nr::Stage::nice);
}

void namespace_refused(HostReport& report) {
  if (geteuid() != 0) return;  // It never changed its user.
  become_nobody();
  const nr::Result<nr::Engine> engine = nr::Engine::open(options_of(nr::Containment::pid_namespace));
  HOST_CHECK(!engine);
  if (engine) return;
  report.say("%s", engine.error().message().c_str());
  HOST_CHECK(engine.error().code == nr::ErrorCode::shepherd_unavailable);
  HOST_CHECK(engine.error().message().find("PR_SET_DUMPABLE") != std::string::npos);
}

void setuid_child(HostReport& report) {
  if (geteuid() != 0) return;
  const TempFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0755));
  const std::string file = folder / "become_root";
  std::filesystem::copy_file(tests::child_path("become_root"), file);
  HOST_CHECK(chmod(file.c_str(), 04755) == 0);
  const pid_t host_pid = fork();
  if (host_pid == 0) {
    become_nobody();
    EngineFixture host;
    const nr::Command rooted = nr::Command(file).deadline(patience(300ms));
    Running root = host.spawn(rooted.ladder({{SIGTERM, nr::Target::group, 200ms}}));
    report.say("started");
    if (root.read_exactly(5) != "root\n") report.fail("it did not become root: is the file system nosuid?");
    const Stopwatch watch;
    const nr::Result<nr::Ended> ended = nr::blocking::wait(root.process(), nr::Deadline::after(patience(20s)));
    HOST_CHECK(ended);
    if (ended) {
      HOST_CHECK(ended->reason == nr::EndReason::deadline);
      const bool refused = !ended->signals.empty() && ended->signals.back().sys_errno == EPERM;
      // A cgroup of its own kills it all the same; without one it lives, and the result says so.
      HOST_CHECK(ended->tree_empty ? processes_with_arguments(file).empty() : refused);
    }
    HOST_CHECK(host.run(nr::Command("true")).success());
    _exit(report.exit_code());
  }
  int status = 0;
  waitpid(host_pid, &status, 0);
  for (const ProcessEntry& entry : processes_with_arguments(file)) kill(entry.pid, SIGKILL);  // Root may.
  HOST_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    const std::string_view what = count > 2 ? arguments[2] : "";
    if (what == "setuid") return tests::setuid_child(report);
    what == "namespace" ? tests::namespace_refused(report) : tests::refused(report);
  });
}
