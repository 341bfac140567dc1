#include "engine/containment/limit_files.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>
#include <string_view>

namespace netrunner::containment {
namespace {

/// v1 says "no limit" as the largest number of whole pages.
constexpr std::uint64_t v1_unlimited_from = std::uint64_t{1} << 62;

std::optional<std::string> text_in(const os::Cgroup& group, const char* file) {
  char text[4096];
  if (!group || !group.read(file, text)) return std::nullopt;
  std::string result = text;
  while (result.ends_with('\n')) result.pop_back();
  return result;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> amount(const os::Cgroup& group, const char* file) {
  const auto text = text_in(group, file);
  if (!text) return std::nullopt;
  if (*text == "max" || text->starts_with('-')) return Limits::unlimited;
  const auto value = number_in<std::uint64_t>(*text);
  return value && *value >= v1_unlimited_from ? Limits::unlimited : value;
}

std::optional<bool> yes_or_no(const os::Cgroup& group, const char* file) {
  const auto text = text_in(group, file);
  if (!text) return std::nullopt;
  return *text == "1";
}

/// "0-3,8" to its members.
std::vector<int> members(const std::optional<std::string>& text) {
  std::vector<int> all;
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view range = rest.substr(0, comma);
    const std::size_t dash = range.find('-');
    const auto first = number_in<int>(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_in<int>(range.substr(dash + 1));
    for (int number = first.value_or(0); first && last && number <= *last; ++number) all.push_back(number);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return all;
}

double quota_of(double quota_us, double period_us) {
  return quota_us < 0 || period_us <= 0 ? std::numeric_limits<double>::infinity() : quota_us / period_us;
}

/// "max 100000" or "150000 100000".
std::optional<double> quota_in_v2(const os::Cgroup& group) {
  const auto text = text_in(group, "cpu.max");
  if (!text) return std::nullopt;
  const std::string_view second = std::string_view(*text).substr(text->find(' ') + 1);  // npos + 1: the whole.
  const auto quota = number_in<std::int64_t>(*text), period = number_in<std::int64_t>(second);
  return quota_of(static_cast<double>(quota.value_or(-1)), static_cast<double>(period.value_or(0)));
}

std::optional<std::uint32_t> weight_in(const os::Cgroup& group, const char* file) {
  const auto text = text_in(group, file);
  if (!text) return std::nullopt;
  const std::string_view number = std::string_view(*text).substr(text->starts_with("default ") ? 8 : 0);
  return number_in<std::uint32_t>(number);
}

void read_unified(const os::Cgroup& group, Limits& limits) {
  limits.memory_max = amount(group, "memory.max");
  limits.memory_high = amount(group, "memory.high");
  limits.memory_low = amount(group, "memory.low");
  limits.memory_min = amount(group, "memory.min");
  limits.swap_max = amount(group, "memory.swap.max");
  limits.oom_group = yes_or_no(group, "memory.oom.group");
  limits.pids_max = amount(group, "pids.max");
  limits.cpu_quota = quota_in_v2(group);
  limits.cpu_weight = weight_in(group, "cpu.weight");
  limits.cpu_idle = yes_or_no(group, "cpu.idle");
  limits.io_weight = weight_in(group, "io.weight");
  if (!limits.io_weight) limits.io_weight = weight_in(group, "io.bfq.weight");
  limits.cpuset_cpus = members(text_in(group, "cpuset.cpus"));
  limits.cpuset_mems = members(text_in(group, "cpuset.mems"));
}

void read_memory(const os::Cgroup& group, Limits& limits) {
  limits.memory_max = amount(group, "memory.limit_in_bytes");
  const auto both = amount(group, "memory.memsw.limit_in_bytes");
  if (!both || !limits.memory_max) return;
  const bool none = *both == Limits::unlimited || *both < *limits.memory_max;
  limits.swap_max = none ? Limits::unlimited : *both - *limits.memory_max;
}

void read_cpu(const os::Cgroup& group, Limits& limits) {
  const auto quota = text_in(group, "cpu.cfs_quota_us"), period = text_in(group, "cpu.cfs_period_us");
  if (quota && period) {
    limits.cpu_quota = quota_of(static_cast<double>(number_in<std::int64_t>(*quota).value_or(-1)),
                                static_cast<double>(number_in<std::int64_t>(*period).value_or(0)));
  }
  if (const auto shares = weight_in(group, "cpu.shares")) {
    limits.cpu_weight = static_cast<std::uint32_t>((std::uint64_t{*shares} * 100 + 512) / 1024);
  }
  limits.cpu_idle = yes_or_no(group, "cpu.idle");
}

void read_blkio(const os::Cgroup& group, Limits& limits) {
  limits.io_weight = weight_in(group, "blkio.bfq.weight");
  if (!limits.io_weight) limits.io_weight = weight_in(group, "blkio.weight");
}

Pressure::Share share_in(std::string_view text, std::string_view name) {
  Pressure::Share share;
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return share;
  unsigned long long total = 0;
  const std::string line(text.substr(at + name.size()));
  (void)std::sscanf(line.c_str(), " avg10=%lf avg60=%lf avg300=%lf total=%llu", &share.avg10, &share.avg60,
                    &share.avg300, &total);
  share.total_us = total;
  return share;
}

}  // namespace

Limits read_limits(const CommandGroups& groups) {
  using enum os::Hierarchy;
  Limits limits;
  const auto at = [&](os::Hierarchy hierarchy) -> const os::Cgroup& {
    return groups[static_cast<std::size_t>(hierarchy)];
  };
  if (at(unified)) read_unified(at(unified), limits);
  if (at(memory)) read_memory(at(memory), limits);
  if (at(pids)) limits.pids_max = amount(at(pids), "pids.max");
  if (at(cpu)) read_cpu(at(cpu), limits);
  if (at(blkio)) read_blkio(at(blkio), limits);
  if (at(cpuset)) {
    limits.cpuset_cpus = members(text_in(at(cpuset), "cpuset.cpus"));
    limits.cpuset_mems = members(text_in(at(cpuset), "cpuset.mems"));
  }
  return limits;
}

std::optional<Pressure> read_pressure(const os::Cgroup& group, const char* file) {
  const auto text = text_in(group, file);
  if (!text || text->empty()) return std::nullopt;
  return Pressure{share_in(*text, "some"), share_in(*text, "full")};
}

void apply_usage(const os::CgroupUsage& counted, Usage& usage) {
  const auto known = [&](os::CgroupUsage::Figure figure) { return (counted.known & figure) != 0; };
  if (known(os::CgroupUsage::cpu)) {
    usage.user_us = counted.user_us;
    usage.system_us = counted.system_us;
    usage.scope = UsageScope::tree;
  }
  if (known(os::CgroupUsage::memory_peak)) usage.memory_peak_bytes = counted.memory_peak_bytes;
  if (known(os::CgroupUsage::pids_peak)) usage.pids_peak = counted.pids_peak_count;
  if (known(os::CgroupUsage::io)) {
    usage.io_read_bytes = counted.io_read_bytes;
    usage.io_written_bytes = counted.io_written_bytes;
  }
}

}  // namespace netrunner::containment
