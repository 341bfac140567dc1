/// poor_host REPORT nofile_kept|memlock|nofile|exhausted|limits|nproc|threads: a host with little of something.
///   nofile_kept  a soft limit of 1024 below a higher hard one: commands have both, whatever the engine needs
///   memlock      no memory may be locked: the engine works, or names memlock
///   nofile       too few descriptors for an engine, with a thread of its own or without: the error says so
///   exhausted    enough for an engine and a few commands: starts past that fail by name, the others go on
///   limits       no descriptor for the groups of the first command with limits: the next one has them
///   threads      no thread may be started: Engine::open gives an error, it doesn't throw
///   nproc        40 processes of this user: starts past that fail by name, the others go on

#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "tests/support/captures.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/scale.hpp"

/// Where no thread or no process can be had the leak checker can't run either.
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return 1; }

namespace tests {
namespace {

const nr::EngineOptions one_shard = {.shards = 1};

void limit(int resource, rlim_t soft, rlim_t hard) {
  const rlimit wanted{.rlim_cur = soft, .rlim_max = hard};
  if (setrlimit(static_cast<__rlimit_resource>(resource), &wanted) != 0) throw std::runtime_error("setrlimit");
}

void become_somebody() {
  if (geteuid() != 0) return;
  if (setgid(54321) != 0 || setuid(54321) != 0) throw std::runtime_error("setuid");
}

void nofile_kept(HostReport& report) {
  limit(RLIMIT_NOFILE, 1024, 16384);
  EngineFixture host;
  const nr::Command limits = nr::Command::shell("ulimit -Sn; ulimit -Hn");
  for (int round = 0; round < 20; ++round) HOST_CHECK(host.run(limits).out.head == "1024\n16384\n");
}

void memlock(HostReport& report) {
  limit(RLIMIT_MEMLOCK, 0, 0);
  become_somebody();
  nr::Result<nr::Engine> engine = nr::Engine::open(one_shard);
  if (engine) {
    const auto completed = engine->run(nr::Command("echo", "x"));
    HOST_CHECK(completed && completed->out.head == "x\n");
    return;
  }
  report.say("%s / %s", engine.error().message().c_str(), engine.error().advice.c_str());
  HOST_CHECK(engine.error().code == nr::ErrorCode::io_uring_unavailable);
  HOST_CHECK((engine.error().message() + engine.error().advice).contains("MEMLOCK"));
}

void refuse_for_want_of_descriptors(HostReport& report, const nr::EngineOptions& options) {
  for (rlim_t descriptors = 3; descriptors < 12; ++descriptors) {
    limit(RLIMIT_NOFILE, descriptors, 4096);
    const nr::Result<nr::Engine> engine = nr::Engine::open(options);
    if (engine) continue;
    const std::string message = engine.error().message() + " / " + engine.error().advice;
    report.say("%d: %s", static_cast<int>(descriptors), message.c_str());
    HOST_CHECK(engine.error().sys_errno == EMFILE);
    HOST_CHECK(message.contains("NOFILE"));
  }
}

void nofile(HostReport& report) {
  refuse_for_want_of_descriptors(report, one_shard);
  refuse_for_want_of_descriptors(report, {.threads = nr::Threads::foreign});
  limit(RLIMIT_NOFILE, 1024, 4096);
  EngineFixture host{one_shard};
  HOST_CHECK(host.run(nr::Command("echo", "x")).out.head == "x\n");
}

/// Starts sleepers until one is refused, and checks what is said of that.
std::vector<Running> fill(HostReport& report, EngineFixture& host, const nr::Command& sleeper, std::string_view name) {
  std::vector<Running> running;
  for (int n = 0; n < 500; ++n) {
    const Stopwatch watch;
    auto started = nr::blocking::get(host->spawn(sleeper), verb_deadline());
    if (started) {
      running.emplace_back(*std::move(started));
      continue;
    }
    HOST_CHECK(watch.elapsed() < patience(15s));
    const std::string message = started.error().message() + " / " + started.error().advice;
    report.say("after %zu: %s", running.size(), message.c_str());
    HOST_CHECK(started.error().code == nr::ErrorCode::limit_reached);
    HOST_CHECK(message.contains(name));
    return running;
  }
  report.fail("500 were started");
  return running;
}

void check_recovery(HostReport& report, EngineFixture& host, std::vector<Running> running) {
  HOST_CHECK(!running.empty());
  for (const Running& one : running) HOST_CHECK(kill(one.pid(), 0) == 0);  // Needs no descriptor.
  for (Running& one : running) {
    one.process().kill();
    HOST_CHECK(end_signal(one.wait()) == SIGKILL);
  }
  running.clear();
  for (int round = 0; round < 10; ++round) HOST_CHECK(host.run(nr::Command("echo", "x")).out.head == "x\n");
}

void exhausted(HostReport& report) {
  EngineFixture host{one_shard};
  // The engine may have raised the soft limit for itself: the hard one goes down too.
  const rlim_t descriptors = own_descriptors().size() + 40;
  limit(RLIMIT_NOFILE, descriptors, descriptors);
  check_recovery(report, host, fill(report, host, nr::Command("sleep", "1000"), "NOFILE"));
}

/// Each engine's first command with limits has one descriptor more than the last one's: each step fails once.
void limits(HostReport& report) {
  const nr::Command limited = nr::Command("echo", "x").limits({.memory_max = 64_MiB, .pids_max = 10});
  for (rlim_t left = 0; left < 24; ++left) {
    EngineFixture host{one_shard};
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    limit(RLIMIT_NOFILE, own_descriptors().size() + left, before.rlim_max);
    const nr::Result<nr::Completed> first = host->run(limited);
    limit(RLIMIT_NOFILE, before.rlim_cur, before.rlim_max);
    report.say("%d: %s", static_cast<int>(left), first ? "it ran" : first.error().message().c_str());
    HOST_CHECK(host.run(limited).out.head == "x\n");
  }
}

void nproc(HostReport& report) {
  become_somebody();
  EngineFixture host{one_shard};
  if (geteuid() == 0) return;
  limit(RLIMIT_NPROC, 40, 40);
  host->close();
  EngineFixture limited{one_shard};
  const nr::Command sleeper = nr::Command("sleep", "1000").out(nr::Stdio::null());
  check_recovery(report, limited, fill(report, limited, sleeper, "NPROC"));
}

void threads(HostReport& report) {
  become_somebody();
  if (geteuid() == 0) return;
  limit(RLIMIT_NPROC, 1, 1);
  const nr::Result<nr::Engine> engine = nr::Engine::open({.shards = 2});
  HOST_CHECK(!engine);
  if (engine) return;
  report.say("%s", engine.error().message().c_str());
  HOST_CHECK(engine.error().code == nr::ErrorCode::limit_reached);
  HOST_CHECK(engine.error().message().contains("NPROC"));
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    const std::string_view mode = count > 2 ? arguments[2] : "";
    if (mode == "nofile_kept") tests::nofile_kept(report);
    if (mode == "memlock") tests::memlock(report);
    if (mode == "nofile") tests::nofile(report);
    if (mode == "exhausted") tests::exhausted(report);
    if (mode == "limits") tests::limits(report);
    if (mode == "nproc") tests::nproc(report);
    if (mode == "threads") tests::threads(report);
  });
}
