/// What `netrunner doctor` tries for itself.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <poll.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <netrunner/blocking.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/probe.hpp>

#include "tools/netrunner/doctor_finding.hpp"
#include "tools/netrunner/stress_fault.hpp"
#include "tools/netrunner/stress_roll.hpp"

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_max = std::chrono::seconds(10);
constexpr auto death_max = std::chrono::seconds(3);
constexpr auto grace = std::chrono::milliseconds(50);

Result<Engine> open(Containment level) {
  EngineOptions options;
  options.shards = 1;
  options.containment = level;
  return Engine::open(options);
}

/// Owner of a pidfd for each process of the roll.
class Watched {
 public:
  explicit Watched(const std::vector<ProcEntry>& processes) {
    for (const ProcEntry& process : processes) {
      const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0));
      if (pidfd >= 0) pidfds_.push_back({.fd = pidfd, .events = POLLIN, .revents = 0});
    }
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    for (const pollfd& pidfd : pidfds_) {
      // What the containment did not reach must not stay on the user's machine.
      (void)::syscall(SYS_pidfd_send_signal, pidfd.fd, SIGKILL, nullptr, 0);
      ::close(pidfd.fd);
    }
  }
  [[nodiscard]] std::size_t size() const noexcept { return pidfds_.size(); }
  [[nodiscard]] bool all_dead(Deadline deadline) {
    for (pollfd& pidfd : pidfds_) {
      const std::int64_t left_ms = (deadline.monotonic_ns() - Deadline::now_ns()) / 1'000'000;
      if (::poll(&pidfd, 1, static_cast<int>(std::max<std::int64_t>(left_ms, 0))) != 1) return false;
    }
    return true;
  }

 private:
  std::vector<pollfd> pidfds_;
};

/// Empty: a command whose grandchild left group and session and is deaf was stopped, and both are dead.
std::string self_test(Engine& engine, const std::string& id) {
  const auto roll = RollCall::open(id);
  if (!roll) return roll.error();
  const Command command = roll->fault("escapee", {"deaf"}).ladder({{SIGTERM, Target::group, grace}});
  Result<Process> process = blocking::spawn(engine, command);
  if (!process) return "a command can't be started: " + process.error().message();
  const auto said = blocking::read(*process, Stream::out, Deadline::after(answer_max));
  if (!said || !*said || (*said)->text() != fault_ready) return "the escapee did not start";
  Watched watched(roll->survivors());
  if (watched.size() != 2) return std::to_string(watched.size()) + " processes were seen instead of 2";
  process->stop();
  const Deadline deadline = Deadline::after(grace + death_max);
  const bool dead = watched.all_dead(deadline);
  const Result<Ended> ended = blocking::wait(*process, Deadline::after(answer_max));
  if (!dead) return "the escapee outlived the command";
  if (!ended) return "the command's end was not told: " + ended.error().message();
  if (ended->reason != EndReason::stopped || !ended->tree_empty) return "the end that was told is wrong";
  return {};
}

Finding test_level(Containment level, bool must_work) {
  Finding finding{.name = "containment " + std::string(name_of(level)), .value = "works: an escapee died",
                  .advice = {}};
  Result<Engine> engine = open(level);
  if (!engine) {
    finding.health = must_work ? Health::missing : Health::degraded;
    Error error = engine.error();
    finding.advice = std::exchange(error.advice, {});
    finding.value = "not to be had: " + error.message();
    return finding;
  }
  const ShardStats shard = blocking::get(engine->stats()).shards.front();
  if (shard.containment != level) {
    finding.health = Health::degraded;
    finding.value = "gave " + std::string(name_of(shard.containment)) + " only";
    finding.advice = shard.containment_note;
    return finding;
  }
  const std::string failure =
      self_test(*engine, std::to_string(::getpid()) + "." + std::to_string(static_cast<int>(level)));
  if (failure.empty()) return finding;
  finding.health = Health::missing;
  finding.value = "self-test failed: " + failure;
  finding.breaks_a_promise = true;
  return finding;
}

Finding in_effect(const ShardStats& shard) {
  Finding finding{.name = "containment", .value = std::string(name_of(shard.containment)), .advice = {}};
  if (shard.containment == Containment::cgroup || shard.containment == Containment::pid_namespace) return finding;
  finding.health = shard.containment == Containment::subreaper ? Health::degraded : Health::missing;
  finding.breaks_a_promise = true;
  finding.value += " only";
  finding.advice = shard.containment_note;
  if (finding.advice.empty()) finding.advice = "A process that calls setsid(2) leaves it.";
  return finding;
}

Finding spawn_path(const ShardStats& shard) {
  Finding finding{.name = "start of commands", .value = std::string(name_of(shard.spawn_path)), .advice = {}};
  if (shard.spawn_path == SpawnPath::asynchronous) return finding;
  finding.health = Health::degraded;
  finding.advice = "Starts don't overlap, and a slow file system delays them all: no clone(2) with CLONE_VM here.";
  return finding;
}

/// One by one; nothing where there is no ring at all, which is told by the engine's own failure.
Findings ring_operations() {
  Findings findings;
  const auto operations = probe_ring();
  if (!operations) return findings;
  for (const RingOperation& operation : *operations) {
    const std::string without =
        operation.without.empty() ? "the engine does not open" : std::string(operation.without);
    Finding finding{.name = std::string(operation.name),
                    .value = std::string(operation.use) + "; without it: " + without,
                    .advice = {}};
    if (!operation.there) {
      finding.health = operation.without.empty() ? Health::missing : Health::degraded;
      finding.breaks_a_promise = operation.without.empty();
      finding.advice = "This kernel hasn't got it: " + std::string(operation.since) + " has.";
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

Finding automatic_self_test(Engine& engine) {
  Finding finding{.name = "self-test", .value = "an escapee (setsid, double fork, deaf) died with its command",
                  .advice = {}};
  const std::string failure = self_test(engine, std::to_string(::getpid()) + ".a");
  if (failure.empty()) return finding;
  return {.name = "self-test", .health = Health::missing, .value = failure, .advice = {}, .breaks_a_promise = true};
}

/// The last one is that of the PID namespace: what keeps the promise where the level in effect doesn't.
void advise_namespace(Findings& findings) {
  if (findings.back().health != Health::ok) return;
  for (Finding& finding : findings) {
    if (finding.name != "containment" || !finding.breaks_a_promise) continue;
    finding.advice += (finding.advice.ends_with('.') ? " " : "; ");
    finding.advice += "--containment pid-namespace keeps the promise here.";
  }
}

}  // namespace

Findings engine_findings() {
  Findings findings;
  {
    Result<Engine> engine = open(Containment::automatic);
    if (!engine) {
      const bool ring = engine.error().code == ErrorCode::io_uring_unavailable;
      findings.push_back({.name = ring ? "io_uring" : "engine", .health = Health::missing,
                          .value = engine.error().message(), .advice = engine.error().advice,
                          .breaks_a_promise = true});
      return findings;
    }
    findings.push_back({.name = "io_uring", .value = "a ring with DEFER_TASKRUN can be had", .advice = {}});
    std::ranges::move(ring_operations(), std::back_inserter(findings));
    const ShardStats shard = blocking::get(engine->stats()).shards.front();
    findings.push_back(spawn_path(shard));
    findings.push_back(in_effect(shard));
    findings.push_back(automatic_self_test(*engine));
  }
  for (const Containment level : {Containment::cgroup, Containment::pid_namespace, Containment::subreaper}) {
    findings.push_back(test_level(level, level == Containment::cgroup));
    if (level == Containment::pid_namespace) advise_namespace(findings);
  }
  return findings;
}

}  // namespace netrunner::tool
