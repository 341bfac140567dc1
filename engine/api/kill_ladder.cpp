#include <netrunner/kill_ladder.hpp>

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace netrunner {
namespace {

const Rung last_rung{SIGKILL, Target::everything, Nanoseconds{0}};
constexpr std::string_view exec_prefix = "exec(";
constexpr std::string_view shell = "/bin/sh";

struct TargetName {
  std::string_view name;
  Target target;
};
constexpr std::array<TargetName, 3> target_names = {{
    {"leader", Target::leader}, {"group", Target::group}, {"everything", Target::everything},
}};

std::unexpected<Error> invalid(std::string subject, std::string advice) {
  return std::unexpected(
      Error{ErrorCode::invalid_argument, Stage::validate, 0, std::move(subject), std::move(advice)});
}

void close_with_kill(std::vector<Rung>& rungs) {
  const bool is_closed = !rungs.empty() && rungs.back().command.empty() && rungs.back().signal == SIGKILL &&
                         rungs.back().target == Target::everything;
  if (!is_closed) {
    if (rungs.size() >= KillLadder::rungs_max) rungs.resize(KillLadder::rungs_max - 1);
    rungs.push_back(last_rung);
  }
}

Result<Target> parse_target(std::string_view text) {
  for (const auto& [name, target] : target_names) {
    if (text == name) return target;
  }
  return invalid("target \"" + std::string(text) + "\"", "leader, group or everything");
}

std::optional<int> parse_int(std::string_view text) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "RTMIN", "RTMIN+3", "RTMAX-2".
std::optional<int> parse_real_time(std::string_view name) {
  const bool from_min = name.starts_with("RTMIN");
  if (!from_min && !name.starts_with("RTMAX")) return std::nullopt;
  const int base = from_min ? SIGRTMIN : SIGRTMAX;
  const std::string_view rest = name.substr(5);
  if (rest.empty()) return base;
  if (rest.front() != '+' && rest.front() != '-') return std::nullopt;
  const auto offset = parse_int(rest.substr(1));
  if (!offset) return std::nullopt;
  const int signal = rest.front() == '+' ? base + *offset : base - *offset;
  return signal >= SIGRTMIN && signal <= SIGRTMAX ? std::optional(signal) : std::nullopt;
}

/// Where the parenthesis closes that is open at the start of `text`; npos: it doesn't.
std::size_t closing_parenthesis(std::string_view text) {
  char quote = '\0';
  std::size_t open = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quote != '\'') {
      ++i;
    } else if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++open;
    } else if (c == ')' && --open == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

/// "exec(SCRIPT)", without what follows.
std::size_t exec_bytes(std::string_view text) {
  const std::size_t end = closing_parenthesis(text.substr(exec_prefix.size()));
  return end == std::string_view::npos ? end : exec_prefix.size() + end + 1;
}

Result<Rung> parse_exec(std::string_view text) {
  const std::size_t bytes = exec_bytes(text);
  const std::string_view rest = text.substr(bytes);
  const std::string_view script = text.substr(exec_prefix.size(), bytes - exec_prefix.size() - 1);
  if (script.empty()) return invalid("ladder \"exec()\"", "a script for /bin/sh; for example exec(nginx -s quit):10s");
  if (!rest.starts_with(':')) {
    return invalid("ladder \"" + std::string(text) + "\"", "a command needs a pause, which bounds it: exec(...):10s");
  }
  NR_TRY(pause, parse_duration(rest.substr(1)));
  if (pause.count() == 0) return invalid("ladder \"" + std::string(text) + "\"", "a pause of 0 leaves it no time");
  return Rung::run({std::string(shell), "-c", std::string(script)}, pause);
}

Result<Rung> parse_rung(std::string_view text) {
  if (text.starts_with(exec_prefix)) return parse_exec(text);
  Rung rung;
  const std::size_t colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  const std::size_t at = name.find('@');
  NR_TRY(signal, parse_signal(name.substr(0, at)));
  rung.signal = signal;
  rung.target = signal == SIGKILL ? Target::everything : Target::group;
  if (at != std::string_view::npos) {
    NR_TRY(target, parse_target(name.substr(at + 1)));
    rung.target = target;
  }
  if (colon != std::string_view::npos) {
    NR_TRY(pause, parse_duration(text.substr(colon + 1)));
    rung.pause = pause;
  }
  return rung;
}

/// One word of a shell's.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) c == '\'' ? text += "'\\''" : text += c;
  return text + "'";
}

std::string exec_text(const std::vector<std::string>& argv) {
  const bool is_script = argv.size() == 3 && argv[0] == shell && argv[1] == "-c";
  std::string script = is_script ? argv[2] : "exec";
  // Unbalanced, it would end somewhere else when it is read again.
  if (is_script && closing_parenthesis(script + ")") == script.size()) return "exec(" + script + ")";
  if (is_script) script = "exec";
  for (const std::string& word : argv) script += " " + quoted(word);
  return "exec(" + script + ")";
}

std::size_t commands_of(const std::vector<Rung>& rungs) {
  return static_cast<std::size_t>(std::ranges::count_if(rungs, [](const Rung& rung) { return !rung.command.empty(); }));
}

std::string duration_text(Nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns % 1'000'000'000 == 0) return std::to_string(ns / 1'000'000'000) + "s";
  if (ns % 1'000'000 == 0) return std::to_string(ns / 1'000'000) + "ms";
  if (ns % 1'000 == 0) return std::to_string(ns / 1'000) + "us";
  return std::to_string(ns) + "ns";
}

}  // namespace

KillLadder::KillLadder() : KillLadder({{SIGTERM, Target::group, std::chrono::seconds(5)}}) {}
KillLadder::KillLadder(std::initializer_list<Rung> rungs) : rungs_(rungs) { close_with_kill(rungs_); }
KillLadder KillLadder::of(std::vector<Rung> rungs) {
  KillLadder ladder({});
  ladder.rungs_ = std::move(rungs);
  close_with_kill(ladder.rungs_);
  return ladder;
}
KillLadder KillLadder::at_once() { return KillLadder({last_rung}); }

Result<KillLadder> KillLadder::parse(std::string_view text) {
  std::vector<Rung> rungs;
  if (text.ends_with(',')) return invalid("ladder \"" + std::string(text) + "\"", "nothing follows the last comma");
  while (!text.empty()) {
    const std::size_t exec = text.starts_with(exec_prefix) ? exec_bytes(text) : 0;
    if (exec == std::string_view::npos) {
      return invalid("ladder \"" + std::string(text) + "\"", "exec( has no ) that closes it");
    }
    const std::size_t comma = text.find(',', exec);
    NR_TRY(rung, parse_rung(text.substr(0, comma)));
    if (rungs.size() == rungs_max) return invalid("ladder", "16 rungs at most");
    rungs.push_back(std::move(rung));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  if (rungs.empty()) return invalid("ladder", "it is empty; for example TERM:5s,KILL");
  if (commands_of(rungs) > commands_max) return invalid("ladder", "4 commands at most");
  return of(std::move(rungs));
}

std::string KillLadder::text() const {
  std::string text;
  for (const Rung& rung : rungs_) {
    if (!text.empty()) text += ',';
    text += rung.command.empty() ? signal_name(rung.signal).substr(3) : exec_text(rung.command);
    const Target usual = rung.signal == SIGKILL ? Target::everything : Target::group;
    if (rung.command.empty() && rung.target != usual) {
      text.append("@").append(target_names[static_cast<std::size_t>(rung.target)].name);
    }
    if (rung.pause.count() != 0 || !rung.command.empty()) text += ":" + duration_text(rung.pause);
  }
  return text;
}

Result<int> parse_signal(std::string_view text) {
  std::string_view name = text;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (const auto number = parse_int(name); number && *number > 0 && *number <= SIGRTMAX) return *number;
  if (const auto signal = parse_real_time(name)) return *signal;
  for (int signal = 1; signal < SIGRTMIN; ++signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) return signal;
  }
  return invalid("signal \"" + std::string(text) + "\"", "a name (TERM, SIGTERM, RTMIN+3) or a number from 1 to 64");
}

std::string signal_name(int signal) {
  if (const char* abbreviation = ::sigabbrev_np(signal)) return std::string("SIG") + abbreviation;
  if (signal >= SIGRTMIN && signal <= SIGRTMAX) {
    return signal == SIGRTMIN ? "SIGRTMIN" : "SIGRTMIN+" + std::to_string(signal - SIGRTMIN);
  }
  return "SIG" + std::to_string(signal);
}

Result<Nanoseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    long double ns;
  };
  constexpr std::array<Unit, 9> units = {{{"ns", 1.0L}, {"us", 1e3L}, {"ms", 1e6L}, {"s", 1e9L}, {"", 1e9L},
                                          {"m", 60e9L}, {"min", 60e9L}, {"h", 3600e9L}, {"d", 86400e9L}}};
  constexpr long double year_ns = 365.25L * 86400e9L;
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string shown = "duration \"" + std::string(text) + "\"";
  const char* const advice = "a number and a unit: 250ms, 1.5s, 2m, 1h, 3d; without a unit seconds";
  if (failed == std::errc::result_out_of_range) return invalid(shown, "it is too large to be meant");
  if (failed != std::errc() || !std::isfinite(value)) return invalid(shown, advice);
  if (value < 0 || std::signbit(value)) return invalid(shown, "it is negative");
  const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::optional<long double> unit;
  for (const Unit& known : units) {
    if (known.name == name) unit = known.ns;
  }
  if (name == "y") unit = year_ns;
  if (!unit) return invalid(shown, advice);
  const long double ns = static_cast<long double>(value) * *unit;
  if (ns >= static_cast<long double>(Nanoseconds::max().count())) return Nanoseconds::max();
  return Nanoseconds(static_cast<std::int64_t>(ns));
}

}  // namespace netrunner
