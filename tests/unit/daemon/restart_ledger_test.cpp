#include "engine/daemon/restart_ledger.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace netrunner::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t second = 1'000'000'000;

TEST(RestartLedger, WhatFailsAtOnceIsStartedEightTimesInTenSecondsAtMost) {  // N1
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    RestartLedger ledger({}, {}, seed);
    std::int64_t now = 0;
    int starts = 0;
    while (now <= 10 * second) {
      ++starts;
      now += ledger.ended(now, 0s).delay.count();
    }
    EXPECT_LE(starts, 8) << "seed " << seed;
    EXPECT_GE(starts, 7) << "seed " << seed;
  }
}

TEST(RestartLedger, NoPauseIsAboveTheMaximumAndNoneBelowItsShareOfJitter) {  // N2
  RestartLedger ledger({}, {.restarts = 0, .within = 1min}, 7);
  std::int64_t now = 0;
  Nanoseconds full = 100ms;
  for (int end = 0; end < 200; ++end) {
    const RestartLedger::Verdict verdict = ledger.ended(now, 0s);
    EXPECT_FALSE(verdict.give_up);
    EXPECT_LE(verdict.delay, full) << end;
    EXPECT_GE(verdict.delay, full * 3 / 4 - 1ns) << end;
    full = std::min<Nanoseconds>(full * 2, 30s);
    now += verdict.delay.count();
  }
  EXPECT_EQ(full, Nanoseconds(30s));
}

TEST(RestartLedger, OneThatLivedForASecondKeepsBackingOff) {  // N1
  RestartLedger ledger({}, {.restarts = 0, .within = 1min}, 1);
  std::int64_t now = 0;
  for (int end = 0; end < 6; ++end) now += second + ledger.ended(now, 1s).delay.count();
  EXPECT_GE(ledger.ended(now, 1s).delay, Nanoseconds(4800ms));
  EXPECT_EQ(ledger.ends_in_row(), 7U);
}

TEST(RestartLedger, OneThatWasStableStartsFromTheFirstStep) {  // N1
  RestartLedger ledger({}, {.restarts = 0, .within = 1min}, 1);
  for (int end = 0; end < 6; ++end) (void)ledger.ended(0, 1s);
  EXPECT_LE(ledger.ended(100 * second, 60s).delay, Nanoseconds(100ms));
  EXPECT_EQ(ledger.ends_in_row(), 1U);
}

TEST(RestartLedger, AnOrderToStartForgetsWhatWas) {  // N2
  RestartLedger ledger({}, {.restarts = 3, .within = 1min}, 1);
  for (int end = 0; end < 3; ++end) EXPECT_FALSE(ledger.ended(0, 0s).give_up);
  EXPECT_TRUE(ledger.ended(0, 0s).give_up);
  ledger.forget();
  const RestartLedger::Verdict verdict = ledger.ended(0, 0s);
  EXPECT_FALSE(verdict.give_up);
  EXPECT_LE(verdict.delay, Nanoseconds(100ms));
}

TEST(RestartLedger, GivingUpIsARateAndNotACount) {  // N1
  RestartLedger ledger({}, {.restarts = 3, .within = 1min}, 1);
  // One end every 21 s for a year of them: two others lie within the minute before each.
  for (std::int64_t end = 0; end < 1000; ++end) EXPECT_FALSE(ledger.ended(end * 21 * second, 0s).give_up) << end;
  EXPECT_TRUE(ledger.ended(999 * 21 * second + 1, 0s).give_up) << "the fourth within a minute";
}

TEST(RestartLedger, WithoutJitterThePausesAreExact) {
  RestartLedger ledger({.first = 10ms, .max = 70ms, .jitter = 0, .stable_after = 1s}, {.restarts = 0}, 1);
  std::vector<std::int64_t> pauses;
  for (int end = 0; end < 5; ++end) pauses.push_back(ledger.ended(0, 0s).delay.count() / 1'000'000);
  EXPECT_EQ(pauses, (std::vector<std::int64_t>{10, 20, 40, 70, 70}));
}

TEST(RestartLedger, TheLongestPausesDoNotOverflow) {
  RestartLedger ledger({.first = Nanoseconds::max(), .max = Nanoseconds::max(), .jitter = 1, .stable_after = 1s},
                       {.restarts = 0, .within = Nanoseconds::max()}, 3);
  for (int end = 0; end < 100; ++end) EXPECT_GE(ledger.ended(INT64_MAX, 0s).delay, 0ns);
}

}  // namespace
}  // namespace netrunner::daemon
