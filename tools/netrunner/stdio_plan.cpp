#include "tools/netrunner/stdio_plan.hpp"

#include <algorithm>
#include <unistd.h>

#include "tools/netrunner/own_terminal.hpp"

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
  options.value("--stdin", noting(into(in_), in_given_));
  options.flag("--merge", merge_);
  options.value("--idle", noting(into_limit(idle_), needs_pipes_));
  options.value("--output-limit", noting(noting(into(output_limit_), needs_pipes_), limited_));
  options.flag("--truncate", truncate_);
  options.value("--streams", [this](const std::string& text) -> Checked<void> {
    if (text == "auto") {
      mode_ = Mode::automatic;
    } else if (text == "pipe") {
      mode_ = Mode::pipe;
    } else if (text == "socket") {
      mode_ = Mode::socket;
    } else if (text == "inherit") {
      mode_ = Mode::inherit;
    } else {
      return std::unexpected("'" + text + "' is none of auto, pipe, socket, inherit.");
    }
    return {};
  });
  declare_drain(options);
}

void StdioPlan::declare_drain(Options& options) {
  options.value("--drain", noting(noting(or_forever(drain_.idle), needs_pipes_), drain_given_));
  options.value("--drain-max", noting(noting(or_forever(drain_.max), needs_pipes_), drain_max_given_));
}

Checked<void> StdioPlan::check() const {
  if (truncate_ && !limited_) {
    return std::unexpected("--truncate: there is nothing to cut; say where with --output-limit N.");
  }
  if (mode_ != Mode::inherit) return {};
  const char* const needs_them = limited_                      ? "--output-limit"
                                 : idle_ != Nanoseconds::max() ? "--idle"
                                 : prefixes_                   ? "--prefix"
                                 : drain_given_                ? "--drain"
                                 : drain_max_given_            ? "--drain-max"
                                                               : nullptr;
  if (needs_them == nullptr) return {};
  return std::unexpected(std::string(needs_them) +
                         ": it must see the output, which --streams inherit hands on; leave one of them out.");
}

void StdioPlan::lead_to_terminal(std::vector<Stream> streams) {
  terminal_ = std::move(streams);
  if (in_given_) std::erase(terminal_, Stream::in);
}

bool StdioPlan::on_terminal(Stream stream) const noexcept {
  return std::ranges::find(terminal_, stream) != terminal_.end();
}

std::optional<Stream> StdioPlan::terminal_stream() const {
  for (const Stream stream : {Stream::out, Stream::err, Stream::in}) {
    if (on_terminal(stream)) return stream;
  }
  return std::nullopt;
}

std::vector<Stream> StdioPlan::streams_to_us() const {
  std::vector<Stream> streams;
  if (const auto terminal = terminal_stream()) streams.push_back(*terminal);
  if (!pipes()) return streams;
  if (!on_terminal(Stream::out)) streams.push_back(Stream::out);
  if (!on_terminal(Stream::err) && !merge_) streams.push_back(Stream::err);
  return streams;
}

Stdio StdioPlan::output(Stream stream) const {
  if (on_terminal(stream)) return Stdio::terminal();
  if (!pipes()) return Stdio::inherit();
  return Stdio::pipe().transport(mode_ == Mode::socket ? Transport::socket : Transport::pipe);
}

Command StdioPlan::apply(const Command& command) const {
  Stdio in = types() ? Stdio::terminal() : own_input();
  if (in_ == "null") in = Stdio::null();
  if (in_ == "inherit" && in_given_) in = Stdio::inherit();
  if (in_ != "null" && in_ != "inherit") in = Stdio::file(in_);

  const Stdio out = output(Stream::out);
  Stdio err = output(Stream::err);
  if (merge_) err = out.kind() == Stdio::Kind::inherit ? Stdio::descriptor(STDOUT_FILENO) : Stdio::merge();

  Drain drain = drain_;
  if (!drain_max_given_) drain.max = std::max(drain.max, drain.idle);  // `--drain 10s` means ten seconds.
  Command changed = command.in(in).out(out).err(err).drain(drain);
  if (!pipes() && terminal_.empty()) return changed;
  return changed.idle_limit(idle_).output_limit(output_limit_, truncate_ ? AtLimit::truncate : AtLimit::stop);
}

}  // namespace netrunner::tool
