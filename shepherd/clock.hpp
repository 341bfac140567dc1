#pragma once

#include <cstdint>
#include <ctime>

namespace netrunner::shepherd {

inline constexpr std::int64_t never = INT64_MAX;

/// CLOCK_MONOTONIC, nanoseconds.
[[nodiscard]] inline std::int64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Processor time of the calling thread, nanoseconds: what work costs, however busy the machine is.
[[nodiscard]] inline std::int64_t spent_ns() noexcept {
  timespec spent{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return std::int64_t{spent.tv_sec} * 1'000'000'000 + spent.tv_nsec;
}

/// `at + pause` that saturates instead of turning negative.
[[nodiscard]] constexpr std::int64_t later(std::int64_t at, std::int64_t pause) noexcept {
  return pause >= never - at ? never : at + pause;
}

}  // namespace netrunner::shepherd
