#pragma once

#include <cstdint>

namespace netrunner::flow {

/// How often and how long something stood still: a stream for want of credit or room, a reader for want of bytes.
class StallClock {
 public:
  /// False: it stood still already.
  bool stall(std::int64_t now_ns) noexcept {
    if (stalled()) return false;
    since_ns_ = now_ns;
    ++stalls_;
    return true;
  }
  /// False: it didn't stand still.
  bool go_on(std::int64_t now_ns) noexcept {
    if (!stalled()) return false;
    last_ns_ = static_cast<std::uint64_t>(now_ns - since_ns_);
    total_ns_ += last_ns_;
    since_ns_ = 0;
    return true;
  }
  /// How long the last one took.
  [[nodiscard]] std::uint64_t last_ns() const noexcept { return last_ns_; }
  [[nodiscard]] std::int64_t stalled_for_ns(std::int64_t now_ns) const noexcept {
    return stalled() ? now_ns - since_ns_ : 0;
  }
  [[nodiscard]] bool stalled() const noexcept { return since_ns_ != 0; }
  [[nodiscard]] std::uint64_t stalls() const noexcept { return stalls_; }
  [[nodiscard]] std::uint64_t stalled_ns(std::int64_t now_ns) const noexcept {
    return total_ns_ + (stalled() ? static_cast<std::uint64_t>(now_ns - since_ns_) : 0);
  }

 private:
  std::int64_t since_ns_ = 0;
  std::uint64_t total_ns_ = 0, last_ns_ = 0, stalls_ = 0;
};

}  // namespace netrunner::flow
