/// Memory, descriptors and the kernel's slabs over millions of commands: they stay what they are.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>

#include "bench/ours.hpp"

namespace bench {
namespace {

/// What is held at one moment.
struct Holding {
  std::uint64_t host_kib = 0, host_descriptors = 0, shepherds_kib = 0, shepherds_descriptors = 0;
  std::uint64_t slab_kib = 0;  ///< Of the whole machine, SUnreclaim of proc_meminfo(5): others move it too.
  std::uint64_t pool_kib = 0;  ///< Of the engine's chunks; part of the host's.
};

std::uint64_t descriptors_of(pid_t pid) {
  std::error_code gone;
  std::uint64_t count = 0;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  for (std::filesystem::directory_iterator entry(folder, gone), end; !gone && entry != end; entry.increment(gone)) {
    ++count;
  }
  return count;
}

std::uint64_t slab_kib() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    std::uint64_t kib = 0;
    if (word == "SUnreclaim:" && file >> kib) return kib;
  }
  return 0;
}

Holding take(nr::Engine& engine) {
  Holding holding;
  for (const pid_t pid : shepherds_of(engine)) {
    holding.shepherds_kib += resident_bytes(pid) / 1024;
    holding.shepherds_descriptors += descriptors_of(pid);
  }
  holding.host_kib = resident_bytes(getpid()) / 1024;
  holding.host_descriptors = descriptors_of(getpid());
  holding.slab_kib = slab_kib();
  holding.pool_kib = nr::blocking::get(engine.stats()).total().pool_bytes / 1024;
  return holding;
}

void print(std::uint64_t commands, double seconds, const Holding& now) {
  std::printf("%10zu%9.0f s%12zu%8zu%12zu%8zu%12zu%10zu\n", std::size_t(commands), seconds, std::size_t(now.host_kib),
              std::size_t(now.host_descriptors), std::size_t(now.shepherds_kib),
              std::size_t(now.shepherds_descriptors), std::size_t(now.slab_kib), std::size_t(now.pool_kib));
  std::fflush(stdout);
}

/// Turns of many kinds; the program of the job is the folder of the children, its bytes the seconds that all may last.
class Soak {
 public:
  Soak(nr::Engine& engine, const Job& job, double until_us)
      : engine_(engine),
        folder_(job.child[0]),
        until_us_(until_us),
        left_(std::int64_t(job.count)),
        ended_(std::ptrdiff_t(job.in_flight)) {
    for (std::size_t i = 0; i < job.in_flight; ++i) nr::start_detached(work());
  }
  /// How many there were.
  [[nodiscard]] std::uint64_t wait() {
    ended_.wait();
    return done_.load();
  }

 private:
  [[nodiscard]] nr::Command child(const char* name) const { return nr::Command(folder_ + "/" + name); }

  nr::Task<void> work() {
    for (std::int64_t turn; now_us() < until_us_ && (turn = left_.fetch_sub(1)) > 0;) {
      co_await one(turn);
      ++done_;
    }
    ended_.count_down();
  }

  nr::Task<void> one(std::int64_t turn) {
    constexpr nr::Drain unread{.idle = std::chrono::milliseconds(10), .max = std::chrono::milliseconds(10)};
    const auto socket = nr::Stdio::pipe().transport(nr::Transport::socket);
    switch (turn % 16) {
      case 0: co_await captured(child("cat").input(std::string(20'000, 'x')), 20'000); break;
      case 1: co_await captured(child("source").arg("50000"), 50'000); break;
      case 2: co_await captured(child("source").arg("50000").out(socket), 50'000); break;
      case 3: co_await stopped(child("source").drain(unread)); break;  // It writes for ever.
      case 4: co_await stopped(child("escapee")); break;  // Its descendant left its group, session and parent.
      case 5: co_await not_started(); break;
      default: co_await captured(child("nothing"), 0); break;
    }
  }

  nr::Task<void> captured(nr::Command command, std::uint64_t bytes) {
    const nr::Completed completed = must(co_await engine_.capture(command));
    if (!completed.success() || completed.out.total_bytes != bytes) fail("a command ended otherwise than it should");
  }

  nr::Task<void> stopped(nr::Command command) {
    nr::Process process = must(co_await engine_.spawn(command));
    (void)must(co_await process.read());
    process.kill();
    const nr::Ended ended = must(co_await process.wait());
    if (!ended.tree_empty) fail("a tree is not empty");
  }

  nr::Task<void> not_started() {
    const auto process = co_await engine_.spawn(child("not there"));
    if (process) fail("what is not there was started");
  }

  [[noreturn]] static void fail(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
  }

  nr::Engine& engine_;
  std::string folder_;
  double until_us_;
  std::atomic<std::int64_t> left_;
  std::atomic<std::uint64_t> done_ = 0;
  std::latch ended_;
};

}  // namespace

void soak(nr::Engine& engine, const Job& job) {
  std::printf("%10s%11s%12s%8s%12s%8s%12s%10s\n", "commands", "time", "host KiB", "fds", "shepherds", "fds", "slab KiB",
              "pool KiB");
  const double began = now_us(), until = began + double(job.bytes) * 1e6;
  std::uint64_t done = 0;
  const auto run = [&](std::size_t count) {
    done += Soak(engine, Job{job.scenario, job.in_flight, count, 0, job.child}, until).wait();
    const Holding now = take(engine);
    print(done, (now_us() - began) / 1e6, now);
    return now;
  };
  const Holding first = run(std::max(job.count / 100, job.in_flight));  // What is made once is there.
  Holding last = first;
  for (std::size_t tenth = 0; tenth < 10 && now_us() < until; ++tenth) last = run(job.count / 10);
  std::printf("{\"host_kib\": %zu, \"shepherds_kib\": %zu, \"descriptors\": %zd}\n", std::size_t(last.host_kib),
              std::size_t(last.shepherds_kib),
              ssize_t(last.host_descriptors + last.shepherds_descriptors) -
                  ssize_t(first.host_descriptors + first.shepherds_descriptors));
}

}  // namespace bench
