#include "tests/support/scale.hpp"

#include <algorithm>
#include <cstdlib>

namespace tests {

namespace {

double number_from(const char* variable, double otherwise) {
  const char* text = std::getenv(variable);
  const double number = text == nullptr ? 0 : std::strtod(text, nullptr);
  return number > 0 ? number : otherwise;
}

}  // namespace

double slowness() {
  static const double factor = number_from("NETRUNNER_TEST_SLOWNESS", is_sanitized() ? 4 : 1);
  return factor;
}

double scale() {
  static const double factor = number_from("NETRUNNER_TEST_SCALE", is_sanitized() ? 0.02 : 0.1);
  return factor;
}

std::size_t scaled(std::size_t full, std::size_t least) {
  return std::max(least, static_cast<std::size_t>(static_cast<double>(full) * scale()));
}

netrunner::Nanoseconds patience(netrunner::Nanoseconds bound) {
  return netrunner::Nanoseconds(static_cast<std::int64_t>(static_cast<double>(bound.count()) * slowness()));
}

std::string patience_text(netrunner::Nanoseconds bound) {
  return std::to_string(patience(bound) / std::chrono::milliseconds(1)) + "ms";
}

}  // namespace tests
