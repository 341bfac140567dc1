#pragma once
/// How long things took: counts in buckets of fixed bounds, so that adding allocates nothing and two can be summed.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace netrunner {

/// Four buckets per doubling, from 1 µs (2^10 ns) to 137 s (2^37 ns): a quantile is at most a quarter too high. A
/// plain value.
class Histogram {
 public:
  static constexpr int octave_min = 10, octave_max = 37, per_octave = 4;
  /// The first is all up to 2^10 ns, the last all above 2^37 ns.
  static constexpr std::size_t buckets = (octave_max - octave_min) * per_octave + 2;

  void add(std::int64_t ns) noexcept {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
    ++counts_[bucket_of(value)];
    ++count_;
    sum_ns_ += value;
    max_ns_ = std::max(max_ns_, value);
  }
  void add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t sum_ns() const noexcept { return sum_ns_; }
  [[nodiscard]] std::uint64_t max_ns() const noexcept { return max_ns_; }
  [[nodiscard]] const std::array<std::uint64_t, buckets>& counts() const noexcept { return counts_; }

  /// The largest value that a bucket takes; of the last one: UINT64_MAX.
  [[nodiscard]] static constexpr std::uint64_t bound_ns(std::size_t bucket) noexcept {
    if (bucket + 1 >= buckets) return UINT64_MAX;
    const std::size_t octave = octave_min + bucket / per_octave;
    return (std::uint64_t{per_octave} + bucket % per_octave) << (octave - 2);
  }
  [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept {
    if (ns <= bound_ns(0)) return 0;
    const std::uint64_t below = ns - 1;  // Bounds belong to the bucket below them.
    const auto octave = static_cast<int>(std::bit_width(below)) - 1;
    if (octave >= octave_max) return buckets - 1;
    const auto quarter = static_cast<std::size_t>((below >> (octave - 2)) % per_octave);
    return static_cast<std::size_t>(octave - octave_min) * per_octave + quarter + 1;
  }
  /// Of the values, this part (0 to 1) is at most so much; 0: there are none.
  [[nodiscard]] std::uint64_t quantile_ns(double part) const noexcept {
    const double rank = part * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= rank) return std::min(bound_ns(i), max_ns_);
    }
    return max_ns_;
  }

 private:
  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0, sum_ns_ = 0, max_ns_ = 0;
};

}  // namespace netrunner
