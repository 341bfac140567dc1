/// Figures and events of <netrunner/netrunner.h>.

#include <cstdio>

#include <netrunner/blocking.hpp>
#include <netrunner/event.hpp>
#include <netrunner/stats.hpp>

#include "engine/api/c_bridge.hpp"
#include "engine/api/core.hpp"

namespace netrunner::c {

void give_event(const Event& event, void (*tell)(void* data, const nr_event* event), void* data) {
  nr_event ours{};
  ours.size = sizeof ours;
  ours.kind = static_cast<nr_event_kind>(event.kind);
  ours.shard = event.shard;
  ours.sequence = event.sequence;
  ours.at_ns = event.at_ns;
  ours.command = event.command;
  ours.pid = event.pid;
  ours.program = event.program.empty() ? "" : event.program.data();  // All of a std::string: it ends with a NUL.
  ours.stream = static_cast<int>(event.stream);
  ours.bytes = event.bytes;
  ours.total_bytes = event.total_bytes;
  ours.stalled_ns = event.stalled_ns;
  ours.reason = static_cast<nr_end_reason>(event.reason);
  ours.signal = event.signal.signal;
  ours.target = static_cast<nr_target>(event.signal.target);
  ours.sys_errno = event.signal.sys_errno;
  ours.status = status_of(event.status);
  std::string message = event.error == nullptr ? std::string() : event.error->message();
  if (const StopCommandRun* run = event.stop_command) message = run->error ? run->error->message() : run->program;
  ours.message = message.c_str();
  nr_ended ended{};
  if (event.ended != nullptr) {
    ended = ended_of(*event.ended);
    ours.ended = &ended;
  }
  tell(data, &ours);
}

namespace {

nr_command_stats stats_of(const ProcessStats& stats) {
  nr_command_stats ours{};
  ours.size = sizeof ours;
  ours.id = stats.id;
  ours.pid = stats.pid;
  ours.shard = stats.shard;
  ours.state = static_cast<nr_command_state>(stats.state);
  ours.usage = usage_of(stats.usage);
  ours.timeline = timeline_of(stats.timeline);
  for (const StreamStats& stream : stats.streams) {
    const auto number = static_cast<int>(stream.stream);
    if (number < NR_IN || number > NR_ERR) continue;
    ours.streams[number] = {true,
                            stream.ended,
                            stream.bytes,
                            stream.operations,
                            stream.dropped_bytes,
                            stream.stalls,
                            stream.stalled_ns,
                            stream.stalled_for_ns,
                            stream.waits,
                            stream.waited_ns,
                            stream.held_bytes};
  }
  (void)std::snprintf(ours.program, sizeof ours.program, "%s", stats.program.c_str());
  return ours;
}

/// A blocking call on one of the engine's own threads would wait for itself: there is nothing then.
template <class T>
std::optional<T> answer_of(Engine& engine, Task<T> task) {
  if (engine.core()->on_shard_thread()) return std::nullopt;
  return blocking::get(engine, std::move(task));
}

}  // namespace
}  // namespace netrunner::c

namespace c = netrunner::c;

extern "C" {

nr_code nr_process_stats(nr_process* process, int64_t timeout_ns, nr_command_stats* stats, nr_error* error) {
  NR_ASSERT(process != nullptr && stats != nullptr);
  if (stats->size == 0) return c::fail(c::invalid("nr_command_stats.size", "initialize it with its _INIT"), error);
  const auto result = netrunner::blocking::get(process->process.stats(), c::deadline_of(timeout_ns));
  if (!result) return c::fail(result.error(), error);
  c::give(c::stats_of(*result), stats);
  return NR_OK;
}

size_t nr_engine_list(nr_engine* engine, nr_command_stats* list, size_t count_max) {
  NR_ASSERT(engine != nullptr && (list != nullptr || count_max == 0));
  const auto commands = c::answer_of(engine->engine, engine->engine.list());
  if (!commands) return 0;
  const std::size_t count = std::min(commands->size(), count_max);
  for (std::size_t i = 0; i < count; ++i) c::give(c::stats_of((*commands)[i]), &list[i]);
  return commands->size();
}

size_t nr_engine_openmetrics(nr_engine* engine, char* text, size_t size) {
  NR_ASSERT(engine != nullptr && (text != nullptr || size == 0));
  const auto stats = c::answer_of(engine->engine, engine->engine.stats());
  const std::string whole = stats ? netrunner::to_openmetrics(*stats) : std::string();
  if (size > 0) (void)std::snprintf(text, size, "%s", whole.c_str());
  return whole.size();
}

}  // extern "C"
