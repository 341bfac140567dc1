#include "engine/daemon/check.hpp"

#include <string>
#include <utility>

#include "engine/daemon/limits.hpp"

namespace netrunner::daemon {
namespace {

Result<void> refuse(const std::string& field, std::string advice) {
  return std::unexpected(
      Error{ErrorCode::invalid_argument, Stage::validate, 0, "DaemonOptions::" + field, std::move(advice)});
}

Result<void> check_restarts(const DaemonOptions& options) {
  const Backoff& backoff = options.backoff;
  if (backoff.first < backoff_least) return refuse("backoff.first", "at least 1 ms");
  if (backoff.max < backoff.first) return refuse("backoff.max", "it must not be below backoff.first");
  if (!(backoff.jitter >= 0 && backoff.jitter <= 1)) return refuse("backoff.jitter", "from 0 to 1");
  if (options.burst.restarts > burst_restarts_max) return refuse("burst.restarts", "at most 10,000");
  if (options.burst.within <= Nanoseconds{0}) return refuse("burst.within", "it must be above 0");
  return {};
}

Result<void> check_readiness(const DaemonOptions& options) {
  if (options.ready_timeout <= Nanoseconds{0}) return refuse("ready_timeout", "it must be above 0");
  if (options.watchdog <= Nanoseconds{0}) return refuse("watchdog", "it must be above 0");
  if (options.ready.kind() == Ready::Kind::port && options.ready.port_number() == 0) {
    return refuse("ready", "port 0 is none that can be connected to");
  }
  for (const WaitFor& condition : options.wait_for) {
    if (condition.path.empty() == (condition.port == 0)) return refuse("wait_for", "either a path or a port");
  }
  return {};
}

Result<void> check_output(const DaemonOptions& options) {
  if (options.line_bytes_max < line_bytes_least || options.line_bytes_max > line_bytes_most) {
    return refuse("line_bytes_max", "from 64 bytes to 1 MiB");
  }
  if (options.output.kind() == DaemonOutput::Kind::lines && options.output.taker() == nullptr) {
    return refuse("output", "lines() needs a callback");
  }
  if (options.output.kind() != DaemonOutput::Kind::file) return {};
  if (options.output.path().empty()) return refuse("output", "the path of the log file is empty");
  if (options.output.rotation().bytes_max < rotation_bytes_min) return refuse("output", "rotate at 4 KiB or more");
  if (options.output.rotation().files > rotated_files_max) return refuse("output", "keep at most 1,000 files");
  return {};
}

}  // namespace

Result<void> check(const DaemonOptions& options) {
  if (options.instances == 0 || options.instances > instances_max) return refuse("instances", "from 1 to 1,000");
  NR_TRY_VOID(check_restarts(options));
  NR_TRY_VOID(check_readiness(options));
  return check_output(options);
}

}  // namespace netrunner::daemon
