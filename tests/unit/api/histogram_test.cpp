/// Buckets of fixed bounds: each value in the one whose bound is the next above it.

#include <cstdint>
#include <gtest/gtest.h>

#include <netrunner/histogram.hpp>

namespace netrunner {
namespace {

TEST(Histogram, AValueLiesWithinItsBucket) {
  for (std::uint64_t ns = 1; ns < UINT64_MAX / 3; ns += ns / 4 + 1) {
    const std::size_t bucket = Histogram::bucket_of(ns);
    ASSERT_LT(bucket, Histogram::buckets);
    EXPECT_LE(ns, Histogram::bound_ns(bucket));
    if (bucket > 0) {
      EXPECT_GT(ns, Histogram::bound_ns(bucket - 1));
    }
  }
}

TEST(Histogram, BoundsGrowByAQuarterAtMostAndBelongToTheirBucket) {
  for (std::size_t i = 0; i + 2 < Histogram::buckets; ++i) {
    EXPECT_GT(Histogram::bound_ns(i + 1), Histogram::bound_ns(i));
    EXPECT_LE(Histogram::bound_ns(i + 1), Histogram::bound_ns(i) / 4 * 5);
    EXPECT_EQ(Histogram::bucket_of(Histogram::bound_ns(i)), i);
    EXPECT_EQ(Histogram::bucket_of(Histogram::bound_ns(i) + 1), i + 1);
  }
  EXPECT_EQ(Histogram::bound_ns(0), 1024u);
  EXPECT_EQ(Histogram::bound_ns(Histogram::buckets - 2), std::uint64_t{1} << 37);
}

TEST(Histogram, QuantilesAreAtMostAQuarterTooHigh) {
  Histogram histogram;
  for (std::int64_t ms = 1; ms <= 1000; ++ms) histogram.add(ms * 1'000'000);
  EXPECT_EQ(histogram.count(), 1000u);
  EXPECT_EQ(histogram.sum_ns(), 500'500'000'000u);
  for (const double part : {0.01, 0.5, 0.9, 0.99}) {
    const auto right = static_cast<std::uint64_t>(part * 1e9);
    EXPECT_GE(histogram.quantile_ns(part), right);
    EXPECT_LE(histogram.quantile_ns(part), right / 4 * 5);
  }
  EXPECT_EQ(histogram.quantile_ns(1), 1'000'000'000u);
  EXPECT_EQ(Histogram().quantile_ns(0.5), 0u);
}

TEST(Histogram, TwoCanBeSummed) {
  Histogram one, two;
  one.add(5'000);
  two.add(70'000);
  two.add(-1);  // A clock of another core: taken as nothing.
  one.add(two);
  EXPECT_EQ(one.count(), 3u);
  EXPECT_EQ(one.sum_ns(), 75'000u);
  EXPECT_EQ(one.max_ns(), 70'000u);
}

}  // namespace
}  // namespace netrunner
