#pragma once
/// Waiting for what is true in the end, and watching that something stays true: never a bare sleep.

#include <chrono>
#include <concepts>
#include <gtest/gtest.h>
#include <thread>

#include "tests/support/scale.hpp"

namespace tests {

inline constexpr netrunner::Nanoseconds eventually_max = std::chrono::seconds(20);
inline constexpr netrunner::Nanoseconds remains_for = std::chrono::milliseconds(300);

/// EXPECT_TRUE(eventually([&] { return child_is_gone(); })): returns as soon as it holds.
template <std::predicate Predicate>
[[nodiscard]] testing::AssertionResult eventually(Predicate holds, netrunner::Nanoseconds limit = eventually_max) {
  const Stopwatch watch;
  auto pause = std::chrono::microseconds(200);
  do {
    if (holds()) return testing::AssertionSuccess();
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(20'000));
  } while (watch.elapsed() < patience(limit));
  if (holds()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "did not become true within " << watch.seconds() << " s";
}

/// EXPECT_TRUE(remains([&] { return written() <= bound; })): it holds all the time.
template <std::predicate Predicate>
[[nodiscard]] testing::AssertionResult remains(Predicate holds, netrunner::Nanoseconds duration = remains_for) {
  const Stopwatch watch;
  do {
    if (!holds()) return testing::AssertionFailure() << "ceased to be true after " << watch.seconds() << " s";
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  } while (watch.elapsed() < duration);
  return testing::AssertionSuccess();
}

}  // namespace tests
