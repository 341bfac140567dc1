#pragma once
/// Durations and deadlines on CLOCK_MONOTONIC. 64-bit nanoseconds that saturate: a thousand years is a long
/// time, never a short one.

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>

namespace netrunner {

using Nanoseconds = std::chrono::duration<std::int64_t, std::nano>;

/// Any duration as nanoseconds, saturated at the largest value instead of wrapping.
template <class Rep, class Period>
[[nodiscard]] constexpr Nanoseconds saturated(std::chrono::duration<Rep, Period> duration) noexcept {
  using Wide = std::chrono::duration<long double, std::nano>;
  const Wide wide = duration;
  if (wide >= Wide(Nanoseconds::max())) return Nanoseconds::max();
  if (wide <= Wide(Nanoseconds::min())) return Nanoseconds::min();
  return std::chrono::duration_cast<Nanoseconds>(duration);
}

/// A point on CLOCK_MONOTONIC by which something must have happened; `never` by default.
class Deadline {
 public:
  constexpr Deadline() noexcept = default;
  [[nodiscard]] static constexpr Deadline never() noexcept { return {}; }
  [[nodiscard]] static constexpr Deadline at(std::int64_t monotonic_ns) noexcept { return Deadline{monotonic_ns}; }
  template <class Rep, class Period>
  [[nodiscard]] static Deadline after(std::chrono::duration<Rep, Period> duration) noexcept {
    return after_from(now_ns(), saturated(duration));
  }
  [[nodiscard]] static constexpr Deadline after_from(std::int64_t now, Nanoseconds duration) noexcept {
    const std::int64_t wait = std::max<std::int64_t>(duration.count(), 0);
    return Deadline{now > never_ns - wait ? never_ns : now + wait};
  }
  [[nodiscard]] static std::int64_t now_ns() noexcept {
    return std::chrono::duration_cast<Nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }
  [[nodiscard]] constexpr std::int64_t monotonic_ns() const noexcept { return at_ns_; }
  [[nodiscard]] constexpr bool is_never() const noexcept { return at_ns_ == never_ns; }
  friend constexpr auto operator<=>(Deadline, Deadline) noexcept = default;

 private:
  static constexpr std::int64_t never_ns = INT64_MAX;
  constexpr explicit Deadline(std::int64_t at_ns) noexcept : at_ns_(at_ns) {}
  std::int64_t at_ns_ = never_ns;
};

}  // namespace netrunner
