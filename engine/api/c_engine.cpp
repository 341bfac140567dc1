/// The engine of <netrunner/netrunner.h>, and nr_run.

#include <memory>
#include <vector>

#include "engine/api/c_bridge.hpp"

struct nr_completed {
  netrunner::Completed completed;
  nr_ended ended;
  std::vector<netrunner::CapturedPiece> pieces;
};

namespace netrunner::c {
namespace {

/// 0 leaves the default.
template <class T>
void set(T& option, T value) {
  if (value != 0) option = value;
}

Result<EngineOptions> options_of(const nr_engine_options* theirs) {
  NR_TRY(given, take(theirs, nr_engine_options{}, "nr_engine_options"));
  EngineOptions options;
  options.shards = given.shards;
  set(options.commands_max, given.commands_max);
  set(options.window_bytes, given.window_bytes);
  set(options.command_budget_bytes, given.command_budget_bytes);
  set(options.shard_budget_bytes, given.shard_budget_bytes);
  set(options.chunk_bytes, given.chunk_bytes);
  set(options.pipe_bytes, given.pipe_bytes);
  if (given.close_max_ns != 0) {
    options.close_max = given.close_max_ns < 0 ? Nanoseconds::max() : Nanoseconds(given.close_max_ns);
  }
  if (given.shepherd_path != nullptr) options.shepherd_path = given.shepherd_path;
  if (given.containment < NR_CONTAINMENT_AUTOMATIC || given.containment > NR_CONTAINMENT_PID_NAMESPACE) {
    return std::unexpected(
        invalid("nr_containment " + std::to_string(given.containment), "not one of its enumeration"));
  }
  options.containment = static_cast<Containment>(given.containment);
  if (given.on_event != nullptr) {
    options.on_event = [tell = given.on_event, data = given.on_event_data](const Event& event) {
      give_event(event, tell, data);
    };
  }
  if (given.log != nullptr) {
    const auto sink = [write = given.log, data = given.log_data](LogLevel level, std::string_view line) {
      write(data, static_cast<nr_log_level>(level), std::string(line).c_str());
    };
    options.logger = Logger(sink, static_cast<LogLevel>(given.log_least));
  }
  return options;
}

Result<CaptureLimits> limits_of(const nr_capture_limits* theirs) {
  constexpr CaptureLimits defaults;
  nr_capture_limits limits{};
  limits.head_bytes = defaults.head_bytes;
  limits.tail_bytes = defaults.tail_bytes;
  NR_TRY(given, take(theirs, limits, "nr_capture_limits"));
  return CaptureLimits{given.head_bytes, given.tail_bytes,
                       given.interleaved ? CaptureOrder::interleaved : CaptureOrder::apart};
}

Result<nr_completed*> run(Engine& engine, const nr_command& command, const nr_capture_limits* theirs) {
  if (command.wrong) return std::unexpected(*command.wrong);
  NR_TRY(limits, limits_of(theirs));
  NR_TRY(completed, engine.run(command.command, limits));
  const nr_ended ended = ended_of(completed.ended);
  auto* result = new nr_completed{std::move(completed), ended, {}};
  result->pieces = result->completed.interleaved();  // Views into what no longer moves.
  return result;
}

}  // namespace
}  // namespace netrunner::c

namespace c = netrunner::c;

extern "C" {

nr_code nr_engine_open(const nr_engine_options* options, nr_engine** engine, nr_error* error) {
  NR_ASSERT(engine != nullptr);
  *engine = nullptr;
  const auto chosen = c::options_of(options);
  if (!chosen) return c::fail(chosen.error(), error);
  auto opened = netrunner::Engine::open(*chosen);
  if (!opened) return c::fail(opened.error(), error);
  *engine = new nr_engine{*std::move(opened)};
  return NR_OK;
}

void nr_engine_close(nr_engine* engine, nr_close_report* report) {
  NR_ASSERT(engine != nullptr);
  const netrunner::CloseReport ours = engine->engine.close();
  const nr_code code = ours.error ? c::fail(*ours.error, nullptr) : NR_OK;
  c::give(nr_close_report{sizeof(nr_close_report), ours.stopped, ours.detached, ours.killed, ours.complete, code},
          report);
}

void nr_engine_free(nr_engine* engine) { delete engine; }

nr_code nr_run(nr_engine* engine, const nr_command* command, const nr_capture_limits* limits,
               nr_completed** completed, nr_error* error) {
  NR_ASSERT(engine != nullptr && command != nullptr && completed != nullptr);
  *completed = nullptr;
  const auto result = c::run(engine->engine, *command, limits);
  if (!result) return c::fail(result.error(), error);
  *completed = *result;
  return NR_OK;
}

const nr_ended* nr_completed_ended(const nr_completed* completed) {
  NR_ASSERT(completed != nullptr);
  return &completed->ended;
}

nr_captured nr_completed_captured(const nr_completed* completed, int stream) {
  NR_ASSERT(completed != nullptr);
  if (stream != NR_OUT && stream != NR_ERR) return {"", 0, "", 0, 0};
  const netrunner::Captured& kept = stream == NR_OUT ? completed->completed.out : completed->completed.err;
  return {kept.head.c_str(), kept.head.size(), kept.tail.c_str(), kept.tail.size(), kept.total_bytes};
}

size_t nr_completed_pieces(const nr_completed* completed) {
  NR_ASSERT(completed != nullptr);
  return completed->pieces.size();
}

nr_piece nr_completed_piece(const nr_completed* completed, size_t index) {
  NR_ASSERT(completed != nullptr);
  if (index >= completed->pieces.size()) return {NR_OUT, "", 0};
  const netrunner::CapturedPiece& piece = completed->pieces[index];
  return {static_cast<int>(piece.stream), piece.text.data(), piece.text.size()};
}

void nr_completed_free(nr_completed* completed) { delete completed; }

}  // extern "C"
