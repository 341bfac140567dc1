/// few_terminals_host REPORT few|none: a host (of root's) in a mount namespace of its own.
///   few   its devpts has room for two terminals: a third start fails by name, other commands go on, and a terminal
///         that ended may be had again
///   none  no devpts at all: the error says so

#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <string_view>
#include <sys/mount.h>

#include "tests/support/captures.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_report.hpp"

namespace tests {
namespace {

void enter_namespace() {
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    throw std::runtime_error("unshare of the mount namespace");
  }
}

nr::Result<nr::Process> start(EngineFixture& host, const nr::Command& command) {
  return nr::blocking::get(host->spawn(command), verb_deadline());
}

/// The kernel takes a terminal back a moment after the last one has closed it.
nr::Result<nr::Process> start_in_the_end(EngineFixture& host, const nr::Command& command) {
  auto started = start(host, command);
  (void)eventually([&] {
    if (!started && started.error().code == nr::ErrorCode::limit_reached) started = start(host, command);
    return started || started.error().code != nr::ErrorCode::limit_reached;
  });
  return started;
}

void few(HostReport& report) {
  enter_namespace();
  HOST_CHECK(mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=0620,max=2") == 0);
  HOST_CHECK(mount("/dev/pts/ptmx", "/dev/ptmx", nullptr, MS_BIND, nullptr) == 0);
  EngineFixture host;
  const nr::Command cat = nr::Command("cat").terminal();
  auto first = start(host, cat);
  HOST_CHECK(first.has_value());
  for (int round = 0; round < 20; ++round) {
    auto second = start_in_the_end(host, cat);
    HOST_CHECK(second.has_value());
    const auto third = start(host, cat);
    HOST_CHECK(!third);
    if (!second || third) return;
    report.say("%s", third.error().message().c_str());
    HOST_CHECK(third.error().code == nr::ErrorCode::limit_reached);
    HOST_CHECK(third.error().stage == nr::Stage::terminal);
    HOST_CHECK(third.error().message().contains("kernel.pty.max"));
    HOST_CHECK(host.run(nr::Command("echo", "x")).out.head == "x\n");
    Running ended(*std::move(second));
    ended.close_input();
    HOST_CHECK(exit_code(ended.wait()) == 0);
    const auto missing = start_in_the_end(host, nr::Command("/no/such/program").terminal());
    HOST_CHECK(!missing && missing.error().code == nr::ErrorCode::not_found);
  }
}

void none(HostReport& report) {
  enter_namespace();
  HOST_CHECK(mount("tmpfs", "/dev", "tmpfs", 0, "") == 0);
  HOST_CHECK(close(open("/dev/null", O_CREAT | O_WRONLY | O_CLOEXEC, 0666)) == 0);
  EngineFixture host;
  const auto refused = start(host, nr::Command("cat").terminal());
  HOST_CHECK(!refused);
  if (refused) return;
  report.say("%s", refused.error().message().c_str());
  HOST_CHECK(refused.error().code == nr::ErrorCode::not_found);
  HOST_CHECK(refused.error().message().contains("devpts"));
  HOST_CHECK(host.run(nr::Command("echo", "x")).out.head == "x\n");
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    const std::string_view mode = count > 2 ? arguments[2] : "";
    if (mode == "few") tests::few(report);
    if (mode == "none") tests::none(report);
  });
}
