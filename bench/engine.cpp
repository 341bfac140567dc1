/// What one engine does alone: its start, and one command among many that run already (its cost must not grow).

#include <benchmark/benchmark.h>

#include <netrunner/netrunner.hpp>

#include <string>
#include <utility>
#include <vector>

namespace {

namespace nr = netrunner;

nr::Command child(const char* name) {
  const auto null = nr::Stdio::null();
  return nr::Command(std::string(NETRUNNER_BENCH_CHILDREN "/") + name).in(null).out(null).err(null);
}

nr::Engine open_engine(std::uint32_t shards, nr::Containment containment = nr::Containment::automatic) {
  auto engine = nr::Engine::open({.shards = shards, .containment = containment});
  if (!engine) std::fprintf(stderr, "%s\n", engine.error().message().c_str()), std::exit(1);
  return std::move(*engine);
}

void open(benchmark::State& state) {
  for (auto _ : state) {
    nr::Engine engine = open_engine(std::uint32_t(state.range(0)));
    state.PauseTiming();
    engine.close();
    state.ResumeTiming();
  }
}
BENCHMARK(open)->ArgName("shards")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

/// A fixed number: to find one, Google Benchmark would start the crowd again and again.
constexpr std::int64_t once_the_crowd_runs = 500;

/// Commands that run all the time.
class Crowd {
 public:
  Crowd(nr::Engine& engine, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) holds_.push_back(nr::blocking::spawn(engine, child("hold")).value());
  }
  ~Crowd() {
    for (const nr::Process& hold : holds_) hold.kill();
    for (const nr::Process& hold : holds_) (void)nr::blocking::wait(hold);
  }

 private:
  std::vector<nr::Process> holds_;
};

void start_and_end_among(benchmark::State& state, nr::Containment containment) {
  nr::Engine engine = open_engine(1, containment);
  const Crowd crowd(engine, state.range(0));
  for (auto _ : state) {
    const nr::Process one = nr::blocking::spawn(engine, child("nothing")).value();
    benchmark::DoNotOptimize(nr::blocking::wait(one));
  }
}

void stop_among(benchmark::State& state, nr::Containment containment) {
  nr::Engine engine = open_engine(1, containment);
  const Crowd crowd(engine, state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    const nr::Process one = nr::blocking::spawn(engine, child("hold")).value();
    state.ResumeTiming();
    one.kill();
    benchmark::DoNotOptimize(nr::blocking::wait(one));
  }
}

/// At the level that users get (a cgroup where there is one), and at the one that looks for its processes itself.
const bool registered = [] {
  for (auto [name, run] : {std::pair{"start_and_end_among", &start_and_end_among}, {"stop_among", &stop_among}}) {
    for (const auto containment : {nr::Containment::automatic, nr::Containment::subreaper}) {
      const std::string family = std::string(name) + ", " + std::string(nr::name_of(containment));
      benchmark::RegisterBenchmark(family.c_str(), run, containment)->ArgName("running")->Arg(10)->Arg(1000)->Arg(10000)
          ->Unit(benchmark::kMicrosecond)->UseRealTime()->Iterations(once_the_crowd_runs);
    }
  }
  return true;
}();

}  // namespace
