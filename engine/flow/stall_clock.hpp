#pragma once

#include <cstdint>

namespace netrunner::flow {

/// How often and how long a stream stood still for want of credit or room.
class StallClock {
 public:
  void stall(std::int64_t now_ns) noexcept {
    if (since_ns_ != 0) return;
    since_ns_ = now_ns;
    ++stalls_;
  }
  void go_on(std::int64_t now_ns) noexcept {
    if (since_ns_ == 0) return;
    total_ns_ += static_cast<std::uint64_t>(now_ns - since_ns_);
    since_ns_ = 0;
  }
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
  std::uint64_t total_ns_ = 0, stalls_ = 0;
};

}  // namespace netrunner::flow
