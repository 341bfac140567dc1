/// Scenarios that no peer has.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <semaphore>
#include <thread>

#include "bench/ours.hpp"

namespace bench {
namespace {

nr::Task<void> one_of_a_storm(nr::Engine& engine, const nr::Command& command, std::counting_semaphore<>& places) {
  nr::Process process = must(co_await engine.spawn(command));
  must(co_await process.close_input());
  (void)must(co_await process.wait());
  places.release();
}

double own_rss_bytes() {
  double pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * double(sysconf(_SC_PAGESIZE));
}

std::uint64_t resident_bytes_of_all(const std::vector<pid_t>& pids) {
  std::uint64_t sum = 0;
  for (const pid_t pid : pids) sum += resident_bytes(pid);
  return sum;
}

/// Processes that run this program, wherever they are.
std::size_t running(const char* program) {
  std::size_t count = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    count += std::filesystem::read_symlink(entry.path() / "exe", gone) == program;
  }
  return count;
}

}  // namespace

std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string word; file >> word;) {
    std::uint64_t kib = 0;
    if (word == "Rss:" && file >> kib) return kib * 1024;
  }
  return 0;
}

std::vector<pid_t> shepherds_of(nr::Engine& engine) {
  std::vector<pid_t> pids;
  for (const nr::ShardStats& shard : nr::blocking::get(engine.stats()).shards) {
    for (const pid_t pid : {shard.shepherd_pid, shard.spare_pid}) {
      if (pid > 0) pids.push_back(pid);
    }
  }
  return pids;
}

Result callers_stall(nr::Engine& engine, const Job& job) {
  const nr::Command command = command_of(job);
  std::counting_semaphore<> places(std::ptrdiff_t(job.in_flight));
  Result result;
  const double first = now_us();
  for (std::size_t i = 0; i < job.count; ++i) {
    places.acquire();
    const double began = now_us();
    nr::start_detached(one_of_a_storm(engine, command, places));  // Comes back when the command was handed over.
    result.latencies_us.push_back(now_us() - began);
  }
  result.rate = double(job.count) / (now_us() - first) * 1e6;
  for (std::size_t i = 0; i < job.in_flight; ++i) places.acquire();
  return result;
}

void slow_consumer(nr::Engine& engine, const Job& job) {
  const double rss_before = own_rss_bytes();
  std::vector<nr::Process> floods;
  for (std::size_t i = 0; i < job.in_flight; ++i) floods.push_back(must(nr::blocking::spawn(engine, command_of(job))));
  const double until = now_us() + double(job.count) * 1e3, began = now_us();
  double rss_most = 0, read_bytes = 0;
  while (now_us() < until) {
    for (nr::Process& flood : floods) read_bytes += double(must(nr::blocking::read(flood)).value().size());
    rss_most = std::max(rss_most, own_rss_bytes());
    const double due_us = began + read_bytes / double(job.bytes) * 1e6;
    std::this_thread::sleep_for(std::chrono::microseconds(std::int64_t(std::max(due_us - now_us(), 0.0))));
  }
  const double held = double(nr::blocking::get(engine.stats()).buffered_bytes_peak());
  const double credit = double(job.in_flight) * double(nr::EngineOptions{}.window_bytes);
  std::printf("{\"rate\": %.0f, \"held_bytes\": %.0f, \"rss_bytes\": %.0f, \"credit_bytes\": %.0f}\n",
              read_bytes / (now_us() - began) * 1e6, held, rss_most - rss_before, credit);
  for (nr::Process& flood : floods) flood.kill();
}

Result stop(nr::Engine& engine, const Job& job) {
  std::vector<nr::Process> commands;
  for (std::size_t i = 0; i < job.in_flight; ++i) {
    commands.push_back(must(nr::blocking::spawn(engine, command_of(job))));
  }
  for (nr::Process& command : commands) (void)must(nr::blocking::read(command));  // Its escapee is there.
  Result result;
  const double began = now_us();
  for (const nr::Process& command : commands) command.kill();
  for (const nr::Process& command : commands) {
    if (!must(nr::blocking::wait(command)).tree_empty) std::fprintf(stderr, "a tree is not empty\n");
  }
  result.latencies_us.push_back(now_us() - began);
  result.rate = double(job.in_flight) / result.latencies_us.front() * 1e6;
  std::printf("{\"left\": %zu}\n", running(job.child[0]));
  return result;
}

void idle_memory(nr::Engine& engine, const Job& job) {
  const nr::Command command = command_of(job);
  std::vector<nr::Process> commands;
  const auto start_until = [&](std::size_t count) {
    commands.reserve(job.in_flight);
    while (commands.size() < count) commands.push_back(must(nr::blocking::spawn(engine, command)));
  };
  start_until(job.in_flight / 10);  // What is made once, and by the first ones, is not what one more costs.
  const std::vector<pid_t> shepherds = shepherds_of(engine);
  const std::uint64_t host = resident_bytes(getpid()), helpers = resident_bytes_of_all(shepherds);
  start_until(job.in_flight);
  const double more = double(job.in_flight - job.in_flight / 10);
  std::printf("{\"host_bytes\": %.1f, \"shepherd_bytes\": %.1f}\n",
              (double(resident_bytes(getpid())) - double(host)) / more,
              (double(resident_bytes_of_all(shepherds)) - double(helpers)) / more);
  for (nr::Process& process : commands) process.kill();
}

}  // namespace bench
