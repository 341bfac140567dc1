#include "tools/netrunner/stress_storm.hpp"

#include <algorithm>
#include <csignal>
#include <stop_token>
#include <utility>

#include <netrunner/blocking.hpp>

#include "tools/netrunner/death_process.hpp"
#include "tools/netrunner/stress_fault.hpp"

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t detached_max = 24;
constexpr std::size_t complaints_max = 20;
// A loss is noticed a little after the kill, and the next start may still meet it.
constexpr auto kill_shows_for = std::chrono::seconds(10);

}  // namespace

Result<Engine> Storm::open() {
  EngineOptions options;
  options.containment = options_.containment;
  return Engine::open(options);
}

Result<StormReport> Storm::run() {
  const std::size_t descriptors_before = own_descriptor_count();
  const std::size_t threads_before = own_thread_count();
  const std::int64_t began_ns = Deadline::now_ns();
  {
    NR_TRY(engine, open());
    blow(engine);
    check_before_close(engine);
    const CloseReport closed = engine.close();
    if (!closed.complete) complain("Engine::close says that something is left");
    if (closed.detached > report_.detached) complain("Engine::close stopped more detached commands than there were");
  }
  check_after_close(descriptors_before, threads_before);
  report_.seed = options_.seed;
  report_.seconds = static_cast<double>(Deadline::now_ns() - began_ns) / 1e9;
  return report_;
}

void Storm::blow(Engine& engine) {
  report_.containment = blocking::get(engine.stats()).shards.front().containment;
  over_ns_ = Deadline::after(options_.duration).monotonic_ns();
  slots_running_ = options_.jobs;
  for (std::uint32_t slot = 0; slot < options_.jobs; ++slot) start_detached(run_slot(engine, slot));
  std::mt19937_64 random(options_.seed);
  std::unique_lock lock(mutex_);
  const auto ended = [this] { return slots_running_ == 0; };
  while (!all_ended_.wait_for(lock, std::chrono::milliseconds(500 + random() % 2500), ended)) {
    lock.unlock();
    if (!time_is_up()) fell_a_shepherd(engine, random());
    lock.lock();
  }
}

/// SIGKILL, or SIGSTOP: then it is its silence that is noticed.
void Storm::fell_a_shepherd(Engine& engine, std::uint64_t choice) {
  const EngineStats stats = blocking::get(engine.stats());
  const pid_t shepherd = stats.shards[choice % stats.shards.size()].shepherd_pid;
  const std::unique_lock lock(mutex_);  // So that no end is judged between the kill and its note.
  if (shepherd <= 1 || !is_shepherd(shepherd)) return;
  const bool hangs = choice / stats.shards.size() % 8 == 0;
  signal_shepherd(shepherd, hangs ? SIGSTOP : SIGKILL);
  last_kill_ns_ = Deadline::now_ns();
  ++(hangs ? report_.shepherds_hung : report_.shepherds_killed);
}

Task<void> Storm::run_slot(Engine& engine, std::uint32_t slot) {
  std::mt19937_64 random(options_.seed * 1'000'003 + slot);
  (void)co_await engine.hop(slot % engine.shards());
  while (!time_is_up()) {
    const StressPlan plan = draw_plan(random, report_.containment);
    co_await run_one(engine, plan);
  }
  const std::lock_guard guard(mutex_);
  if (--slots_running_ == 0) all_ended_.notify_all();
}

Task<void> Storm::run_one(Engine& engine, const StressPlan& plan) {
  std::stop_source source;
  const std::int64_t began_ns = Deadline::now_ns();
  if (plan.act == StressAct::stop || plan.act == StressAct::kill) {
    clock_.after(plan.delay, [source]() mutable { source.request_stop(); });
  }
  const Command command = command_of(plan, roll_);
  Result<Process> process = co_await engine.spawn(command, source.get_token());
  if (process && plan.act == StressAct::detach && may_detach()) {
    std::move(*process).detach();
    co_return;
  }
  const bool dropped = plan.act == StressAct::drop || plan.act == StressAct::drop_at_once ||
                       plan.act == StressAct::detach;
  if (process && dropped) {
    if (plan.act == StressAct::drop) co_await clock_.pause(plan.delay);
    note_left(plan);
    co_return;  // The handle goes with this frame.
  }
  StressOutcome outcome;
  if (process) {
    co_await follow(*process, plan, outcome);
  } else {
    outcome.ended = std::unexpected(process.error());
  }
  {
    const std::lock_guard guard(mutex_);
    outcome.shepherd_died = last_kill_ns_ != 0 && last_kill_ns_ >= began_ns - Nanoseconds(kill_shows_for).count();
  }
  note(plan, outcome);
}

Task<void> Storm::follow(Process& process, const StressPlan& plan, StressOutcome& outcome) {
  StressJoin join(3);
  start_detached(collect(process, Stream::out, plan, outcome, join));
  start_detached(collect(process, Stream::err, plan, outcome, join));
  start_detached(feed(process, plan, outcome, join));
  co_await join;
  outcome.ended = co_await process.wait();
}

Task<void> Storm::collect(Process& process, Stream stream, const StressPlan& plan, StressOutcome& outcome,
                          StressJoin& join) {
  const bool checked = plan.kind == StressKind::flood || plan.kind == StressKind::output ||
                       plan.kind == StressKind::slow_reader || plan.kind == StressKind::echo;
  const std::uint64_t seed = plan.seed + (stream == Stream::err ? 1 : 0);
  std::uint64_t& moved = stream == Stream::err ? outcome.err_bytes : outcome.out_bytes;
  bool right = true;
  for (;;) {
    const Result<std::optional<Chunk>> chunk = co_await process.read(stream);
    if (!chunk || !*chunk) break;
    const std::string_view text = (*chunk)->text();
    for (std::size_t i = 0; checked && i < text.size(); ++i) right = right && text[i] == stress_byte(seed, moved + i);
    moved += text.size();
    if (plan.kind == StressKind::slow_reader) co_await clock_.pause(1ms);
  }
  if (!right) {
    const std::lock_guard guard(mutex_);
    outcome.bytes_right = false;
  }
  join.arrive();
}

Task<void> Storm::feed(Process& process, const StressPlan& plan, StressOutcome& outcome, StressJoin& join) {
  constexpr std::uint64_t piece = 50'021;
  if (plan.kind == StressKind::echo || plan.kind == StressKind::shut_input) {
    bool taken = true;
    while (taken && outcome.in_bytes < plan.in_bytes) {
      const std::uint64_t size = std::min(piece, plan.in_bytes - outcome.in_bytes);
      const std::string bytes = stress_bytes(plan.seed, outcome.in_bytes, size);
      const Result<void> written = co_await process.write(bytes);
      taken = written.has_value();
      if (taken) outcome.in_bytes += size;
    }
    (void)co_await process.close_input();
    outcome.all_input_taken = taken;
  }
  join.arrive();
}

bool Storm::time_is_up() const { return Deadline::now_ns() >= over_ns_; }

bool Storm::may_detach() {
  const std::lock_guard guard(mutex_);
  if (report_.detached >= detached_max) return false;
  ++report_.detached;
  ++report_.commands;
  return true;
}

void Storm::note_left(const StressPlan& plan) {
  const std::lock_guard guard(mutex_);
  ++report_.commands;
  ++report_.dropped;
  ++report_.by_kind[static_cast<std::size_t>(plan.kind)];
}

void Storm::note(const StressPlan& plan, const StressOutcome& outcome) {
  const std::string wrong = judge(plan, outcome);
  if (!wrong.empty()) complain(plan.text() + ": " + wrong);
  const std::lock_guard guard(mutex_);
  ++report_.commands;
  ++report_.by_kind[static_cast<std::size_t>(plan.kind)];
  report_.bytes += outcome.out_bytes + outcome.err_bytes + outcome.in_bytes;
  if (outcome.ended) {
    ++report_.by_reason[static_cast<std::size_t>(outcome.ended->reason)];
  } else {
    ++report_.refused;
  }
}

void Storm::complain(std::string what) {
  const std::lock_guard guard(mutex_);
  ++report_.faults;
  if (report_.complaints.size() < complaints_max) report_.complaints.push_back(std::move(what));
}

}  // namespace netrunner::tool
