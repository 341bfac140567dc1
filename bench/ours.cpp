/// NetRunner as a program of the peers' protocol.

#include "bench/ours.hpp"

#include <algorithm>
#include <optional>

namespace bench {
namespace {

nr::Task<void> drain(nr::Process& process, nr::Stream stream) {
  for (;;) {
    const std::optional<nr::Chunk> chunk = must(co_await process.read(stream));
    if (!chunk) break;
  }
}

nr::Task<void> spawn_one_by_one(Work& work, std::vector<double>& latencies_us) {
  const nr::Command command = command_of(work.job);
  while (work.left.fetch_sub(1) > 0) {
    const double began = now_us();
    nr::Process process = must(co_await work.engine.spawn(command));
    must(co_await process.close_input());
    co_await drain(process, nr::Stream::out);
    co_await drain(process, nr::Stream::err);
    (void)must(co_await process.wait());
    latencies_us.push_back(now_us() - began);
  }
  work.ended.count_down();
}

nr::Task<void> echo(Work& work, nr::Process& process, std::vector<double>& latencies_us) {
  while (work.left.fetch_sub(1) > 0) {
    const double began = now_us();
    must(co_await process.write(work.block));
    for (std::size_t missing = work.block.size(); missing > 0;) {
      missing -= must(co_await process.read()).value().size();
    }
    latencies_us.push_back(now_us() - began);
  }
  work.ended.count_down();
}

/// All in one turn of the shard, as the peers begin before their loop turns: else the first are far ahead.
nr::Task<void> echo_all(Work& work, std::vector<nr::Process>& cats) {
  (void)co_await work.engine.stats();
  for (std::size_t i = 0; i < cats.size(); ++i) nr::start_detached(echo(work, cats[i], work.latencies_us[i]));
}

nr::Task<void> feed(nr::Process& process, std::size_t bytes, std::latch& ended) {
  const std::string block(65536, 'x');
  for (; bytes > 0; bytes -= std::min(bytes, block.size())) {
    must(co_await process.write(std::string_view(block).substr(0, std::min(bytes, block.size()))));
  }
  must(co_await process.close_input());
  ended.count_down();
}

nr::Task<void> collect(nr::Process& process, std::latch& ended) {
  co_await drain(process, nr::Stream::out);
  ended.count_down();
}

double per_second(std::size_t count, double began_us) { return double(count) / (now_us() - began_us) * 1e6; }

Result result_of(Work& work, double rate) {
  Result result{rate, {}, 1};
  std::size_t most = 0, least = SIZE_MAX;
  for (const auto& some : work.latencies_us) {
    result.latencies_us.insert(result.latencies_us.end(), some.begin(), some.end());
    most = std::max(most, some.size());
    least = std::min(least, some.size());
  }
  result.share = double(most) / double(std::max<std::size_t>(least, 1));
  return result;
}

std::string setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

}  // namespace

nr::Engine open_engine() {
  nr::EngineOptions options;
  options.shards = std::uint32_t(std::stoul(setting("BENCH_SHARDS", "1")));
  options.pipe_bytes = std::uint32_t(std::stoul(setting("BENCH_PIPE_BYTES", "0")));
  options.chunk_bytes = std::uint32_t(std::stoul(setting("BENCH_CHUNK_BYTES", "65536")));
  const std::string level = setting("BENCH_CONTAINMENT", "process_group");
  for (const auto known : {nr::Containment::process_group, nr::Containment::cgroup, nr::Containment::subreaper,
                           nr::Containment::pid_namespace, nr::Containment::automatic}) {
    if (level == nr::name_of(known)) options.containment = known;
  }
  return must(nr::Engine::open(options));
}

nr::Command command_of(const Job& job) {
  std::vector<std::string> argv;
  for (char** word = job.child; *word != nullptr; ++word) argv.emplace_back(*word);
  const bool by_socket = setting("BENCH_TRANSPORT", "pipe") == "socket";
  const auto stream = nr::Stdio::pipe().transport(by_socket ? nr::Transport::socket : nr::Transport::pipe);
  return nr::Command::from_argv(std::move(argv)).in(stream).out(stream).err(stream);
}

Result spawn(nr::Engine& engine, const Job& job) {
  Work work(engine, job);
  const double began = now_us();
  for (auto& latencies_us : work.latencies_us) nr::start_detached(spawn_one_by_one(work, latencies_us));
  work.ended.wait();
  return result_of(work, per_second(job.count, began));
}

Result round_trips(nr::Engine& engine, const Job& job) {
  Work work(engine, job);
  std::vector<nr::Process> cats;
  for (std::size_t i = 0; i < job.in_flight; ++i) cats.push_back(must(nr::blocking::spawn(engine, command_of(job))));
  const double began = now_us();
  nr::start_detached(echo_all(work, cats));
  work.ended.wait();
  return result_of(work, per_second(job.count, began));
}

Result stream(nr::Engine& engine, const Job& job) {
  const double began = now_us();
  nr::Process process = must(nr::blocking::spawn(engine, command_of(job)));
  std::latch ended(2);
  nr::start_detached(feed(process, is(&job, "read") ? 0 : job.bytes, ended));
  nr::start_detached(collect(process, ended));
  ended.wait();
  (void)must(nr::blocking::wait(process));
  return {per_second(job.bytes, began), {}, 1};
}

}  // namespace bench

int main(int argc, char** argv) {
  using namespace bench;
  const Job job = read_job(argc, argv);
  nr::Engine engine = open_engine();
  std::optional<Result> result;
  if (is(&job, "spawn")) result = spawn(engine, job);
  if (is(&job, "round")) result = round_trips(engine, job);
  if (is(&job, "read") || is(&job, "write") || is(&job, "both")) result = stream(engine, job);
  if (is(&job, "stall")) result = callers_stall(engine, job);
  if (is(&job, "stop")) result = stop(engine, job);
  if (result) {
    print_result(result->rate, result->latencies_us.data(), result->latencies_us.size(), result->share);
    return 0;
  }
  if (is(&job, "slow")) return slow_consumer(engine, job), 0;
  if (is(&job, "idle")) return idle_memory(engine, job), 0;
  if (is(&job, "soak")) return soak(engine, job), 0;
  return 3;
}
