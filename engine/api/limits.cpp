#include <netrunner/limits.hpp>

#include <sys/resource.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace netrunner {
namespace {

struct ResourceName {
  std::string_view name;
  int resource;
};
constexpr std::array<ResourceName, 16> resource_names = {{
    {"as", RLIMIT_AS}, {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"data", RLIMIT_DATA}, {"fsize", RLIMIT_FSIZE},
    {"locks", RLIMIT_LOCKS}, {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"rss", RLIMIT_RSS}, {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME}, {"sigpending", RLIMIT_SIGPENDING}, {"stack", RLIMIT_STACK},
}};

std::unexpected<Error> invalid(std::string subject, std::string advice) {
  return std::unexpected(
      Error{ErrorCode::invalid_argument, Stage::validate, 0, std::move(subject), std::move(advice)});
}

Result<std::uint64_t> parse_limit(std::string_view text) {
  if (text == "unlimited") return ResourceLimit::unlimited;
  return parse_bytes(text);
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string shown = "size \"" + std::string(text) + "\"";
  const char* const advice = "a number and a unit, powers of 1024: 4096, 64KiB, 512M, 1.5G";
  if (failed != std::errc() || !std::isfinite(value) || value < 0 || std::signbit(value)) return invalid(shown, advice);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.ends_with("iB")) {
    unit.remove_suffix(2);
    if (unit.empty()) return invalid(shown, advice);
  } else if (unit.ends_with('B')) {
    unit.remove_suffix(1);
  }
  constexpr std::string_view powers = "KMGTP";
  long double bytes = static_cast<long double>(value);
  if (!unit.empty()) {
    const char letter = unit.front() == 'k' ? 'K' : unit.front();
    const std::size_t power = powers.find(letter);
    if (unit.size() != 1 || power == std::string_view::npos) return invalid(shown, advice);
    bytes *= std::pow(1024.0L, static_cast<long double>(power + 1));
  }
  if (bytes >= static_cast<long double>(UINT64_MAX)) return invalid(shown, "it is too large to be meant");
  return static_cast<std::uint64_t>(bytes);
}

Result<ResourceLimit> parse_resource_limit(std::string_view text) {
  const std::size_t equals = text.find('=');
  std::optional<int> resource;
  for (const auto& [name, number] : resource_names) {
    if (text.substr(0, equals) == name) resource = number;
  }
  if (!resource || equals == std::string_view::npos) {
    return invalid("resource limit \"" + std::string(text) + "\"",
                   "NAME=SOFT[:HARD], names as prlimit(1) has them: nofile=256, stack=8M:unlimited");
  }
  const std::string_view values = text.substr(equals + 1);
  const std::size_t colon = values.find(':');
  const auto soft = parse_limit(values.substr(0, colon));
  const auto hard = colon == std::string_view::npos ? soft : parse_limit(values.substr(colon + 1));
  if (!soft || !hard) {
    return invalid("resource limit \"" + std::string(text) + "\"", (soft ? hard : soft).error().message());
  }
  const ResourceLimit limit{*resource, *soft, *hard};
  if (limit.soft > limit.hard) return invalid("resource limit \"" + std::string(text) + "\"", "soft is above hard");
  return limit;
}

std::string_view resource_name(int resource) noexcept {
  for (const auto& [name, number] : resource_names) {
    if (number == resource) return name;
  }
  return "unknown resource";
}

}  // namespace netrunner
