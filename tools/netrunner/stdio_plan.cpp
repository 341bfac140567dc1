#include "tools/netrunner/stdio_plan.hpp"

#include <algorithm>
#include <unistd.h>

namespace netrunner::tool {
namespace {

/// A setter that also notes that the option was given.
Options::Setter noting(Options::Setter setter, bool& given) {
  return [setter = std::move(setter), &given](const std::string& text) {
    given = true;
    return setter(text);
  };
}

/// A duration, or `forever`.
Options::Setter or_forever(Nanoseconds& duration) {
  return [&duration](const std::string& text) -> Checked<void> {
    if (text != "forever") return into(duration)(text);
    duration = Nanoseconds::max();
    return {};
  };
}

}  // namespace

void StdioPlan::declare(Options& options) {
  options.value("--stdin", into(in_));
  options.flag("--merge", merge_);
  options.value("--idle", noting(into(idle_), needs_pipes_));
  options.value("--output-limit", noting(noting(into(output_limit_), needs_pipes_), limited_));
  options.flag("--truncate", truncate_);
  options.value("--streams", [this](const std::string& text) -> Checked<void> {
    if (text == "auto") {
      mode_ = Mode::automatic;
    } else if (text == "pipe") {
      mode_ = Mode::pipe;
    } else if (text == "inherit") {
      mode_ = Mode::inherit;
    } else {
      return std::unexpected("'" + text + "' is none of auto, pipe, inherit.");
    }
    return {};
  });
  declare_drain(options);
}

void StdioPlan::declare_drain(Options& options) {
  options.value("--drain", noting(or_forever(drain_.idle), needs_pipes_));
  options.value("--drain-max", noting(noting(or_forever(drain_.max), needs_pipes_), drain_max_given_));
}

Checked<void> StdioPlan::check() const {
  if (truncate_ && !limited_) {
    return std::unexpected("--truncate: there is nothing to cut; say where with --output-limit N.");
  }
  if (mode_ != Mode::inherit) return {};
  if (limited_ || idle_ != Nanoseconds::max()) {
    return std::unexpected("--streams inherit: --idle and --output-limit must see the output; leave one of them out.");
  }
  return {};
}

std::vector<Stream> StdioPlan::streams_to_us() const {
  if (!pipes()) return {};
  if (merge_) return {Stream::out};
  return {Stream::out, Stream::err};
}

Command StdioPlan::apply(const Command& command) const {
  Stdio in = Stdio::inherit();
  if (in_ == "null") in = Stdio::null();
  if (in_ != "null" && in_ != "inherit") in = Stdio::file(in_);

  Stdio err = pipes() ? Stdio::pipe() : Stdio::inherit();
  if (merge_) err = pipes() ? Stdio::merge() : Stdio::descriptor(STDOUT_FILENO);

  Drain drain = drain_;
  if (!drain_max_given_) drain.max = std::max(drain.max, drain.idle);  // `--drain 10s` means ten seconds.
  Command changed = command.in(in).out(pipes() ? Stdio::pipe() : Stdio::inherit()).err(err).drain(drain);
  if (!pipes()) return changed;
  return changed.idle_limit(idle_).output_limit(output_limit_, truncate_ ? AtLimit::truncate : AtLimit::stop);
}

}  // namespace netrunner::tool
