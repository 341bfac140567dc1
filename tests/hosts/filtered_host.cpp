/// filtered_host REPORT works|refused|contains|waits ERRNO CALL...: a seccomp filter answers these system calls with
/// ERRNO, in this host and in all that it starts.
///   works    the engine opens and runs commands as ever
///   contains the death of a shepherd takes a command's escapee
///   waits    for its own, after "escapee PID", "shepherd PID" and "ready"
///   refused  Engine::open gives io_uring_unavailable, and its text says why

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <map>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

#include "tests/support/contained.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/scale.hpp"

namespace tests {
namespace {

struct Call {
  std::uint32_t number;
  bool only_pidfd = false;  ///< Only where the first argument is P_PIDFD.
};
const std::map<std::string_view, Call> calls = {
    {"io_uring_setup", {SYS_io_uring_setup}},
    {"io_uring_enter", {SYS_io_uring_enter}},
    {"io_uring_register", {SYS_io_uring_register}},
    {"clone3", {SYS_clone3}},
    {"pidfd_open", {SYS_pidfd_open}},
    {"pidfd_send_signal", {SYS_pidfd_send_signal}},
    {"close_range", {SYS_close_range}},
    {"waitid_pidfd", {SYS_waitid, true}},
    {"openat2", {SYS_openat2}},
    {"memfd_create", {SYS_memfd_create}},
};

std::uint32_t number_of(std::string_view name) { return name == "EPERM" ? EPERM : name == "ENOMEM" ? ENOMEM : ENOSYS; }

sock_filter load(std::size_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }

bool filter(std::uint32_t answer, const std::vector<Call>& filtered) {
  const sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | answer);
  std::vector<sock_filter> program;
  for (const Call& call : filtered) {
    program.push_back(load(offsetof(seccomp_data, nr)));
    if (call.only_pidfd) {
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, 3));
      program.push_back(load(offsetof(seccomp_data, args)));
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(P_PIDFD), 0, 1));
    } else {
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, 1));
    }
    program.push_back(refuse);
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog compiled{.len = static_cast<unsigned short>(program.size()), .filter = program.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &compiled) == 0;
}

void check_refusal(HostReport& report, std::uint32_t answer) {
  const nr::Result<nr::Engine> engine = nr::Engine::open();
  HOST_CHECK(!engine);
  if (engine) return;
  const std::string message = engine.error().message() + " / " + engine.error().advice;
  report.say("%s", message.c_str());
  HOST_CHECK(engine.error().code == nr::ErrorCode::io_uring_unavailable);
  HOST_CHECK(engine.error().sys_errno == static_cast<int>(answer));
  HOST_CHECK(!engine.error().advice.empty());
  const char* const cause = answer == ENOMEM ? "MEMLOCK" : "seccomp";
  HOST_CHECK(message.contains(cause));
}

/// With clone3 refused by EPERM the C library can't start a thread (it falls back for ENOSYS only): this thread
/// turns the engine. Without memfd_create the shepherd comes from its file.
nr::EngineOptions options_without(std::string_view call) {
  nr::EngineOptions options;
  options.shards = 1;
  if (call == "clone3") options.threads = nr::Threads::foreign;
  if (call == "memfd_create") options.shepherd_path = tests::shepherd_path();
  return options;
}

void check_function(HostReport& report, std::string_view call) {
  EngineFixture host(options_without(call));
  for (std::size_t n = 0; n < scaled(1000, 20); ++n) {
    const int code = static_cast<int>(n % 256);
    const nr::Completed completed = host.run(nr::Command::shell("cat; exit " + std::to_string(code)).input("in"));
    HOST_CHECK(exit_code(completed.ended) == code);
    HOST_CHECK(completed.out.head == "in");
  }
  HOST_CHECK(host.run(nr::Command("sleep", "1000").deadline(patience(100ms))).ended.reason == nr::EndReason::deadline);
  const auto missing = nr::blocking::get(host->spawn(nr::Command("/no/such/program")), verb_deadline());
  HOST_CHECK(!missing && missing.error().code == nr::ErrorCode::not_found);
  Running stopped = host.spawn(nr::Command("sleep", "1000"));
  stopped.process().kill();
  HOST_CHECK(end_signal(stopped.wait()) == SIGKILL);
  HOST_CHECK(host->close().complete);
}

void check_containment(HostReport& report, bool waits) {
  EngineFixture host({.shards = 1});
  WithEscapee both = with_escapee(host, child("escapee", "stay", "deaf"));
  HOST_CHECK(eventually([&] { return waits ? host.shard_stats().spare_pid > 0 : true; }));
  const pid_t shepherd = host.shard_stats().shepherd_pid;
  if (waits) {
    report.say("escapee %d", both.escapee);
    report.say("shepherd %d", shepherd);
    report.say("ready");
    for (;;) pause();
  }
  kill(shepherd, SIGKILL);
  HOST_CHECK(both.command.wait().reason == nr::EndReason::shepherd_lost);
  HOST_CHECK(eventually([&] { return !is_running(both.escapee); }));
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    if (count < 5) return report.fail("too few arguments");
    std::vector<tests::Call> filtered;
    for (int n = 4; n < count; ++n) filtered.push_back(tests::calls.at(arguments[n]));
    const std::uint32_t answer = tests::number_of(arguments[3]);
    if (!tests::filter(answer, filtered)) return report.fail("no filter");
    const std::string_view what = arguments[2];
    if (what == "refused") return tests::check_refusal(report, answer);
    if (what == "works") return tests::check_function(report, arguments[4]);
    tests::check_containment(report, what == "waits");
  });
}
