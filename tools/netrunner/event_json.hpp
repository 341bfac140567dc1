#pragma once
/// An event as a line of JSON.

#include <cstdint>
#include <string>

#include <netrunner/event.hpp>

namespace netrunner::tool {

/// Where both clocks stood at one moment: events have the steady one, people the other.
struct Clocks {
  std::int64_t steady_ns = 0, wall_ns = 0;
  [[nodiscard]] static Clocks now();
};

/// With a newline at its end. `start`: `at_us` counts from there.
[[nodiscard]] std::string json_of(const Event& event, const Clocks& start);

}  // namespace netrunner::tool
