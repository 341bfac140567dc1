#include "tools/netrunner/daemon_options.hpp"

#include <limits>
#include <string_view>
#include <utility>

#include "tools/netrunner/error_words.hpp"

namespace netrunner::tool {
namespace {

/// "A<separator>B"; nothing where there is no separator, or nothing on one of its sides.
std::optional<std::pair<std::string, std::string>> two(const std::string& text, std::string_view separator) {
  const std::size_t at = text.find(separator);
  if (at == std::string::npos || at == 0 || at + separator.size() == text.size()) return std::nullopt;
  return std::pair(text.substr(0, at), text.substr(at + separator.size()));
}

Checked<std::uint16_t> port_of(const std::string& text) {
  const auto number = whole_number(text, 1, std::numeric_limits<std::uint16_t>::max());
  if (!number) return std::unexpected(number.error());
  return static_cast<std::uint16_t>(*number);
}

Checked<Nanoseconds> duration_of(const std::string& text) {
  const Result<Nanoseconds> parsed = parse_duration(text);
  if (!parsed) return std::unexpected(words_of(parsed.error()));
  return *parsed;
}

template <class T>
Checked<void> set(T& field, const Checked<T>& value) {
  if (!value) return std::unexpected(value.error());
  field = *value;
  return {};
}

Checked<void> set_restart(Restart& restart, const std::string& text) {
  for (const Restart policy : {Restart::always, Restart::on_failure, Restart::never}) {
    if (text == name_of(policy)) {
      restart = policy;
      return {};
    }
  }
  return std::unexpected("'" + text + "' is none of always, on-failure, never.");
}

Checked<void> set_backoff(Backoff& backoff, const std::string& text) {
  const auto range = two(text, "..");
  if (!range) return std::unexpected("'" + text + "' is no FIRST..MAX, as in 100ms..30s.");
  if (auto first = set(backoff.first, duration_of(range->first)); !first) return first;
  return set(backoff.max, duration_of(range->second));
}

Checked<void> set_burst(Burst& burst, const std::string& text) {
  if (text == "0") {
    burst.restarts = 0;
    return {};
  }
  const auto rate = two(text, "/");
  if (!rate) return std::unexpected("'" + text + "' is no N/D, as in 10/1m (and no 0, which never gives up).");
  const auto restarts = whole_number(rate->first, 1, 10'000);
  if (!restarts) return std::unexpected(restarts.error());
  burst.restarts = static_cast<std::uint32_t>(*restarts);
  return set(burst.within, duration_of(rate->second));
}

Checked<void> set_wait_for(std::vector<WaitFor>& all, const std::string& text) {
  WaitFor condition;
  if (text.starts_with("path:") && text.size() > 5) {
    condition.path = text.substr(5);
  } else if (text.starts_with("port:")) {
    if (auto port = set(condition.port, port_of(text.substr(5))); !port) return port;
  } else {
    return std::unexpected("'" + text + "' is neither path:FILE nor port:NUMBER.");
  }
  all.push_back(condition);
  return {};
}

Checked<void> set_rotation(std::optional<Rotation>& rotation, const std::string& text) {
  const auto parts = two(text, ":");
  if (!parts) return std::unexpected("'" + text + "' is no SIZE:COUNT, as in 10M:5.");
  const Result<std::uint64_t> bytes = parse_bytes(parts->first);
  if (!bytes) return std::unexpected(words_of(bytes.error()));
  const auto files = whole_number(parts->second, 0, 1000);
  if (!files) return std::unexpected(files.error());
  rotation = Rotation{.bytes_max = *bytes, .files = static_cast<std::uint32_t>(*files)};
  return {};
}

}  // namespace

void DaemonFlags::declare(Options& options) {
  command_.declare(options);
  options.value("--containment", into(containment_));
  options.value("--instances", [this](const std::string& text) -> Checked<void> {
    const auto count = whole_number(text, 1, 1000);
    if (!count) return std::unexpected(count.error());
    options_.instances = static_cast<std::uint32_t>(*count);
    return {};
  });
  options.value("--stdin", into(in_));
  options.value("--state", into(state_path_));
  options.value("--stop", into(stop_path_));
  options.value("--stop-wait", into(stop_wait_));
  options.flag("--quiet", quiet_);
  declare_restarts(options);
  declare_readiness(options);
  declare_output(options);
}

void DaemonFlags::declare_restarts(Options& options) {
  options.value("--restart", [this](const std::string& text) { return set_restart(options_.restart, text); });
  options.value("--backoff", [this](const std::string& text) { return set_backoff(options_.backoff, text); });
  options.value("--stable", into(options_.backoff.stable_after));
  options.value("--burst", [this](const std::string& text) { return set_burst(options_.burst, text); });
  options.value("--wait-for", [this](const std::string& text) { return set_wait_for(options_.wait_for, text); });
  options.value("--wait-for-timeout", into(options_.wait_for_timeout));
}

void DaemonFlags::declare_readiness(Options& options) {
  options.value("--ready-timeout", into(options_.ready_timeout));
  options.value("--watchdog", into(options_.watchdog));
  options.value("--ready", [this](const std::string& text) -> Checked<void> {
    probe_script_.reset();
    if (text == "started") {
      options_.ready = Ready::started();
    } else if (text == "notify") {
      options_.ready = Ready::notify();
    } else if (text.starts_with("line:") && text.size() > 5) {
      options_.ready = Ready::line(text.substr(5));
    } else if (text.starts_with("exec:") && text.size() > 5) {
      probe_script_ = text.substr(5);
    } else if (text.starts_with("port:")) {
      const auto port = port_of(text.substr(5));
      if (!port) return std::unexpected(port.error());
      options_.ready = Ready::port(*port);
    } else {
      return std::unexpected("'" + text + "' is none of started, line:REGEX, port:N, notify, exec:COMMAND.");
    }
    return {};
  });
}

void DaemonFlags::declare_output(Options& options) {
  options.value("--log", into(log_));
  options.value("--prefix", into(prefix_));
  options.value("--rotate", [this](const std::string& text) { return set_rotation(rotation_, text); });
}

Checked<void> DaemonFlags::check(const Options& options) const {
  if (auto checked = options.need({"--wait-for-timeout"}, "--wait-for"); !checked) return checked;
  if (options_.restart == Restart::never) {
    const std::vector<std::string> of_restarts = {"--backoff", "--stable", "--burst"};
    if (auto checked = options.exclude(of_restarts, "--restart", "never it means nothing"); !checked) return checked;
  }
  if (auto checked = LimitOptions::check(options); !checked) return checked;
  if (auto checked = options.distinct({"--log", "--state", "--events", "--stats"}); !checked) return checked;
  if (log_ == "-") return std::unexpected("--log: '-' is no file; without --log the output goes where ours goes.");
  if (options.given("--ready-timeout") && options_.ready.kind() == Ready::Kind::started && !probe_script_) {
    return std::unexpected("--ready-timeout: one that is ready when it has started is never late; say --ready.");
  }
  if (log_.empty() && (rotation_ || !prefix_.empty())) {
    return std::unexpected("--rotate and --prefix are about a file; name it by --log FILE.");
  }
  return {};
}

Checked<Command> DaemonFlags::make(std::vector<std::string> words) const {
  auto made = command_.make(std::move(words));
  if (!made) return made;
  if (in_ == "null") return *made;
  return made->in(in_ == "inherit" ? Stdio::inherit() : Stdio::file(in_));
}

DaemonOptions DaemonFlags::options() const {
  DaemonOptions options = options_;
  if (probe_script_) options.ready = Ready::command(Command::shell(*probe_script_));
  if (!log_.empty()) {
    options.output = DaemonOutput::file(log_, rotation_.value_or(Rotation{})).prefix(prefix_);
  }
  return options;
}

}  // namespace netrunner::tool
