#include "tools/netrunner/observation.hpp"

#include <netrunner/blocking.hpp>

#include "tools/netrunner/engine_log.hpp"
#include "tools/netrunner/report_file.hpp"
#include "tools/netrunner/stats_json.hpp"

namespace netrunner::tool {

void Observation::declare(Options& options) {
  options.value("--events", into(events_path_));
  options.value("--stats", into(stats_path_));
}

Checked<void> Observation::open() {
  if (!stats_path_.empty()) {
    if (auto writable = can_write_report(stats_path_, "--stats"); !writable) return writable;
  }
  return events_path_.empty() ? Checked<void>() : events_.open(events_path_);
}

void Observation::apply(EngineOptions& options) {
  options.logger = engine_logger();
  options.on_event = events_.callback();
}

void Observation::take(Engine& engine) {
  if (!stats_path_.empty()) stats_ = json_of(blocking::get(engine.stats()));
}

Checked<void> Observation::finish() {
  Checked<void> written = events_.close();
  if (stats_.empty()) return written;
  Checked<void> reported = write_report(stats_path_, stats_, "--stats");
  return written ? reported : written;
}

}  // namespace netrunner::tool
