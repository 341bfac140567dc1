/// The other half of <netrunner/daemon.h>.

#include <string>
#include <utility>

#include <netrunner/blocking.hpp>
#include <netrunner/daemon.h>
#include <netrunner/daemon.hpp>

#include "engine/api/c_bridge.hpp"

struct nr_daemon {
  netrunner::Daemon daemon;
};

namespace netrunner::c {
namespace {

static_assert(NR_RESTART_NEVER == static_cast<int>(Restart::never));
static_assert(NR_READY_COMMAND == static_cast<int>(Ready::Kind::command));
static_assert(NR_DAEMON_FAILED == static_cast<int>(DaemonState::failed));

/// 0 leaves the default, NR_FOREVER is for ever.
void set(Nanoseconds& duration, std::int64_t ns) {
  if (ns != 0) duration = ns < 0 ? Nanoseconds::max() : Nanoseconds(ns);
}

Result<Ready> ready_of(const nr_daemon_options& given) {
  switch (given.ready) {
    case NR_READY_STARTED: return Ready::started();
    case NR_READY_LINE:
      if (given.ready_line == nullptr) return std::unexpected(invalid("nr_daemon_options.ready_line", "it is NULL"));
      return Ready::line(given.ready_line);
    case NR_READY_PORT: return Ready::port(given.ready_port);
    case NR_READY_NOTIFY: return Ready::notify();
    case NR_READY_COMMAND:
      if (given.ready_probe == nullptr) return std::unexpected(invalid("nr_daemon_options.ready_probe", "it is NULL"));
      if (given.ready_probe->wrong) return std::unexpected(*given.ready_probe->wrong);
      return Ready::command(given.ready_probe->command);
  }
  return std::unexpected(invalid("nr_ready " + std::to_string(given.ready), "not one of its enumeration"));
}

DaemonOutput output_of(const nr_daemon_options& given) {
  if (given.on_line != nullptr) {
    return DaemonOutput::lines([take = given.on_line, context = given.context](const DaemonLine& line) {
      const nr_daemon_line told = {line.instance, line.pid, static_cast<int>(line.stream), line.text.data(),
                                   line.text.size(), line.continues};
      take(&told, context);
    });
  }
  if (given.log_path == nullptr) return DaemonOutput::inherit();
  Rotation rotation;
  if (given.rotate_bytes != 0) rotation.bytes_max = given.rotate_bytes;
  if (given.rotate_files != 0) rotation.files = given.rotate_files;
  return DaemonOutput::file(given.log_path, rotation);
}

Result<DaemonOptions> options_of(const nr_daemon_options* theirs) {
  NR_TRY(given, take(theirs, nr_daemon_options{}, "nr_daemon_options"));
  if (given.restart < NR_RESTART_ALWAYS || given.restart > NR_RESTART_NEVER) {
    return std::unexpected(invalid("nr_restart " + std::to_string(given.restart), "not one of its enumeration"));
  }
  DaemonOptions options;
  options.restart = static_cast<Restart>(given.restart);
  if (given.instances != 0) options.instances = given.instances;
  set(options.backoff.first, given.backoff_first_ns);
  set(options.backoff.max, given.backoff_max_ns);
  set(options.backoff.stable_after, given.stable_after_ns);
  if (given.burst_restarts != 0) options.burst.restarts = given.burst_restarts == UINT32_MAX ? 0 : given.burst_restarts;
  set(options.burst.within, given.burst_within_ns);
  NR_TRY(ready, ready_of(given));
  options.ready = std::move(ready);
  set(options.ready_timeout, given.ready_timeout_ns);
  set(options.watchdog, given.watchdog_ns);
  if (given.wait_for_path != nullptr) options.wait_for.push_back({.path = given.wait_for_path, .port = 0});
  if (given.wait_for_port != 0) options.wait_for.push_back({.path = {}, .port = given.wait_for_port});
  options.output = output_of(given);
  return options;
}

Result<Daemon> start(Engine& engine, const nr_command& command, const nr_daemon_options* theirs) {
  if (command.wrong) return std::unexpected(*command.wrong);
  NR_TRY(options, options_of(theirs));
  return Daemon::start(engine, command.command, std::move(options));
}

[[nodiscard]] const Daemon& daemon_of(const nr_daemon* handle) {
  NR_ASSERT(handle != nullptr);
  return handle->daemon;
}

template <std::size_t Size>
void copy(char (&to)[Size], const std::string& text) {
  const std::size_t bytes = std::min(text.size(), Size - 1);
  std::memcpy(to, text.data(), bytes);
  to[bytes] = '\0';
}

nr_daemon_status instance_status_of(const InstanceStatus& status) {
  nr_daemon_status ours = NR_DAEMON_STATUS_INIT;
  ours.state = static_cast<nr_daemon_state>(status.state);
  ours.pid = status.pid;
  ours.starts = status.starts;
  ours.restarts = status.restarts;
  ours.next_start_ns = status.next_start_ns;
  ours.has_ended = status.last_end.has_value();
  if (status.last_end) ours.last_end = status_of(status.last_end->status);
  copy(ours.reason, status.reason);
  copy(ours.status_text, status.status_text);
  return ours;
}

}  // namespace
}  // namespace netrunner::c

namespace c = netrunner::c;

extern "C" {

nr_code nr_daemon_start(nr_engine* engine, const nr_command* command, const nr_daemon_options* options,
                        nr_daemon** daemon, nr_error* error) {
  NR_ASSERT(engine != nullptr && command != nullptr && daemon != nullptr);
  *daemon = nullptr;
  auto started = c::start(engine->engine, *command, options);
  if (!started) return c::fail(started.error(), error);
  *daemon = new nr_daemon{*std::move(started)};
  return NR_OK;
}

nr_code nr_daemon_ready(nr_daemon* daemon, int64_t timeout_ns, nr_error* error) {
  return c::code_of(netrunner::blocking::ready(c::daemon_of(daemon), c::deadline_of(timeout_ns)), error);
}

nr_code nr_daemon_wait(nr_daemon* daemon, int64_t timeout_ns, nr_error* error) {
  const auto ended = netrunner::blocking::ended(c::daemon_of(daemon), c::deadline_of(timeout_ns));
  return c::code_of(ended, error);
}

nr_code nr_daemon_stop(nr_daemon* daemon, const char* ladder, nr_error* error) {
  return c::stop(c::daemon_of(daemon), ladder, error);
}

void nr_daemon_restart(nr_daemon* daemon) { c::daemon_of(daemon).restart(); }
void nr_daemon_reopen_log(nr_daemon* daemon) { c::daemon_of(daemon).reopen_log(); }

nr_code nr_daemon_signal(nr_daemon* daemon, uint32_t instance, int signal, nr_target target, nr_error* error) {
  if (target < NR_LEADER || target > NR_EVERYTHING) {
    return c::fail(c::invalid("nr_target " + std::to_string(target), "not one of its enumeration"), error);
  }
  auto task = c::daemon_of(daemon).signal(signal, static_cast<netrunner::Target>(target), instance);
  return c::code_of(netrunner::blocking::get(std::move(task)), error);
}

nr_code nr_daemon_write(nr_daemon* daemon, uint32_t instance, const void* bytes, size_t count, nr_error* error) {
  auto task = c::daemon_of(daemon).write(std::string(static_cast<const char*>(bytes), count), instance);
  return c::code_of(netrunner::blocking::get(std::move(task)), error);
}

nr_code nr_daemon_get_status(nr_daemon* daemon, uint32_t instance, nr_daemon_status* status, nr_error* error) {
  NR_ASSERT(status != nullptr);
  if (status->size == 0) {
    return c::fail(c::invalid("nr_daemon_status.size", "initialize it with NR_DAEMON_STATUS_INIT"), error);
  }
  const netrunner::DaemonStatus now = c::daemon_of(daemon).status();
  if (instance >= now.instances.size()) {
    return c::fail(c::invalid("instance " + std::to_string(instance), "there are " +
                              std::to_string(now.instances.size()) + ", counted from 0"), error);
  }
  c::give(c::instance_status_of(now.instances[instance]), status);
  return NR_OK;
}

const char* nr_daemon_state_name(nr_daemon_state state) {
  if (state < NR_DAEMON_WAITING || state > NR_DAEMON_FAILED) return "unknown";
  return netrunner::name_of(static_cast<netrunner::DaemonState>(state)).data();
}

void nr_daemon_free(nr_daemon* daemon) { delete daemon; }

}  // extern "C"
