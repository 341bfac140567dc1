#include "engine/flow/credit_window.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace netrunner::flow {
namespace {

TEST(CreditWindow, PromisesNoMoreThanItsLimit) {
  Budget budget(1000);
  CreditWindow window(100, budget);
  EXPECT_EQ(window.reserve(60), 60U);
  EXPECT_EQ(window.reserve(60), 40U);
  EXPECT_EQ(window.reserve(1), 0U);
}

TEST(CreditWindow, AShortReadFreesTheRestAtOnce) {
  Budget budget(1000);
  CreditWindow window(100, budget);
  EXPECT_EQ(window.reserve(100), 100U);
  window.settle({100, 1});
  EXPECT_EQ(window.free_bytes(), 99U);
  EXPECT_EQ(window.held_bytes(), 1U);
  window.give_back(1);
  EXPECT_EQ(window.free_bytes(), 100U);
  EXPECT_EQ(budget.free_bytes(), 1000U);
}

TEST(CreditWindow, TwoStreamsNeverHaveMoreThanTheirCommandsBudget) {
  Budget budget(100);
  CreditWindow first(80, budget), second(80, budget);
  EXPECT_EQ(first.reserve(80), 75U);  // A quarter is the other's for sure.
  EXPECT_EQ(second.reserve(80), 25U);
  EXPECT_EQ(budget.free_bytes(), 0U);
  first.settle({75, 0});
  EXPECT_EQ(second.reserve(80), 50U);
}

TEST(CreditWindow, AStreamThatHoldsAllItMayLeavesTheOtherItsShare) {
  Budget budget(100);
  CreditWindow unread(1000, budget), wanted(1000, budget);
  const std::uint32_t held = unread.reserve(1000);
  unread.settle({held, held});
  EXPECT_EQ(unread.reserve(1000), 0U);
  EXPECT_GT(wanted.reserve(1000), 0U);
}

TEST(CreditWindow, KeepsItsSumThroughAThousandRandomReads) {
  const unsigned int seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Budget budget(300);
  CreditWindow window(256, budget);
  std::deque<std::uint32_t> reads, chunks;
  for (int i = 0; i < 10'000; ++i) {
    switch (random() % 3) {
      case 0:
        if (const std::uint32_t granted = window.reserve(random() % 128 + 1)) reads.push_back(granted);
        break;
      case 1:
        if (reads.empty()) break;
        chunks.push_back(static_cast<std::uint32_t>(random() % (reads.front() + 1)));
        window.settle({reads.front(), chunks.back()});
        reads.pop_front();
        break;
      default:
        if (chunks.empty()) break;
        window.give_back(chunks.front());
        chunks.pop_front();
    }
    ASSERT_EQ(window.limit_bytes(), window.free_bytes() + window.reserved_bytes() + window.held_bytes());
    ASSERT_EQ(budget.free_bytes(), 300 - window.reserved_bytes() - window.held_bytes());
  }
}

}  // namespace
}  // namespace netrunner::flow
