#include "engine/daemon/text.hpp"

#include <array>
#include <cstddef>

namespace netrunner::daemon {
namespace {

constexpr std::string_view number_mark = "{i}";

struct Unit {
  std::int64_t ns;
  std::string_view name;
};
constexpr std::array<Unit, 5> units = {{{3'600'000'000'000, "h"},
                                        {60'000'000'000, "m"},
                                        {1'000'000'000, "s"},
                                        {1'000'000, "ms"},
                                        {1'000, "us"}}};

}  // namespace

std::string duration_text(Nanoseconds duration) {
  const std::int64_t ns = duration.count();
  if (ns == 0) return "0s";
  for (const auto& [unit_ns, name] : units) {
    if (ns % unit_ns == 0) return std::to_string(ns / unit_ns) + std::string(name);
  }
  return std::to_string(ns / 1000) + "us";
}

std::string with_number(std::string_view text, std::uint32_t instance) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t found = text.find(number_mark, at);
    result += text.substr(at, found - at);
    if (found == std::string_view::npos) break;
    result += std::to_string(instance);
    at = found + number_mark.size();
  }
  return result;
}

bool has_number(std::string_view text) noexcept { return text.find(number_mark) != std::string_view::npos; }

}  // namespace netrunner::daemon
