#include "tools/netrunner/limit_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "tools/netrunner/error_words.hpp"

namespace netrunner::tool {
namespace {

constexpr std::int64_t weight_max = 10000;

/// Bytes, or "max" for no limit.
Options::Setter bytes_into(std::optional<std::uint64_t>& limit) {
  return [&limit](const std::string& text) -> Checked<void> {
    if (text == "max") {
      limit = Limits::unlimited;
      return {};
    }
    std::uint64_t bytes = 0;
    if (auto parsed = into(bytes)(text); !parsed) return parsed;
    limit = bytes;
    return {};
  };
}

Options::Setter weight_into(std::optional<std::uint32_t>& limit) {
  return [&limit](const std::string& text) -> Checked<void> {
    const auto weight = whole_number(text, 1, weight_max);
    if (!weight) return std::unexpected(weight.error());
    limit = static_cast<std::uint32_t>(*weight);
    return {};
  };
}

Options::Setter cpus_into(std::optional<double>& quota) {
  return [&quota](const std::string& text) -> Checked<void> {
    double cpus = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), cpus);
    const bool number = failed == std::errc() && end == text.data() + text.size() && cpus >= 0.01;
    if (text != "max" && !number) {
      return std::unexpected("'" + text + "' is no number of CPUs: 0.5, 1.5, 8, or max for no quota.");
    }
    quota = text == "max" ? std::numeric_limits<double>::infinity() : cpus;
    return {};
  };
}

/// "0-3,8".
Options::Setter set_into(std::vector<int>& set) {
  return [&set](const std::string& text) -> Checked<void> {
    constexpr std::int64_t member_max = 8191;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      const std::string range(rest.substr(0, comma));
      const std::size_t dash = range.find('-', 1);
      const auto first = whole_number(range.substr(0, dash), 0, member_max);
      const auto last = dash == std::string::npos ? first : whole_number(range.substr(dash + 1), 0, member_max);
      if (!first || !last) return std::unexpected("'" + text + "' is no list of numbers: 0-3,8.");
      for (std::int64_t member = *first; member <= *last; ++member) set.push_back(static_cast<int>(member));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    return {};
  };
}

Checked<void> set_flag(std::optional<bool>& flag, const std::string& text) {
  if (text != "yes" && text != "no") return std::unexpected("'" + text + "' is neither yes nor no.");
  flag = text == "yes";
  return {};
}

}  // namespace

void LimitOptions::declare(Options& options) {
  declare_memory(options);
  declare_cpu(options);
  options.value("--pids", [this](const std::string& text) -> Checked<void> {
    const auto count = whole_number(text, 1, INT32_MAX);
    if (!count) return std::unexpected(count.error());
    limits_.pids_max = static_cast<std::uint64_t>(*count);
    return {};
  });
  options.value("--io-weight", weight_into(limits_.io_weight));
  options.value("--nofile", [this](const std::string& text) -> Checked<void> {
    const Result<ResourceLimit> limit = parse_resource_limit("nofile=" + text);
    if (!limit) return std::unexpected(words_of(limit.error()));
    resource_limits_.push_back(*limit);
    return {};
  });
  options.value("--rlimit", [this](const std::string& text) -> Checked<void> {
    const Result<ResourceLimit> limit = parse_resource_limit(text);
    if (!limit) return std::unexpected(words_of(limit.error()));
    resource_limits_.push_back(*limit);
    return {};
  });
  options.flag("--best-effort-limits", best_effort_);
}

Checked<void> LimitOptions::check(const Options& options) {
  constexpr std::array limits = {"--memory",     "--memory-high", "--memory-low", "--memory-min", "--memory-swap",
                                 "--oom-group",  "--cpu",         "--cpu-weight", "--cpu-idle",   "--cpuset",
                                 "--cpuset-mems", "--cpu-time",   "--pids",       "--io-weight"};
  const bool any = std::ranges::any_of(limits, [&](const char* limit) { return options.given(limit); });
  if (any || !options.given("--best-effort-limits")) return {};
  return std::unexpected("--best-effort-limits: there is no limit that could be refused; as --memory 512M.");
}

void LimitOptions::declare_memory(Options& options) {
  options.value("--memory", bytes_into(limits_.memory_max));
  options.value("--memory-high", bytes_into(limits_.memory_high));
  options.value("--memory-low", bytes_into(limits_.memory_low));
  options.value("--memory-min", bytes_into(limits_.memory_min));
  options.value("--memory-swap", bytes_into(limits_.swap_max));
  options.value("--oom-group", [this](const std::string& text) { return set_flag(limits_.oom_group, text); });
}

void LimitOptions::declare_cpu(Options& options) {
  options.value("--cpu", cpus_into(limits_.cpu_quota));
  options.value("--cpu-weight", weight_into(limits_.cpu_weight));
  options.value("--cpu-idle", [this](const std::string& text) { return set_flag(limits_.cpu_idle, text); });
  options.value("--cpuset", set_into(limits_.cpuset_cpus));
  options.value("--cpuset-mems", set_into(limits_.cpuset_mems));
  options.value("--cpu-time", [this](const std::string& text) -> Checked<void> {
    Nanoseconds time{};
    if (auto parsed = into(time)(text); !parsed) return parsed;
    limits_.cpu_time = time;
    return {};
  });
}

Command LimitOptions::apply(const Command& command) const {
  Command limited = command;
  for (const ResourceLimit& limit : resource_limits_) limited = limited.resource_limit(limit);
  if (limits_.empty()) return limited;
  return limited.limits(limits_, best_effort_ ? LimitPolicy::best_effort : LimitPolicy::required);
}

}  // namespace netrunner::tool
