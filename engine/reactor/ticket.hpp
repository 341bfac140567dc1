#pragma once

#include <atomic>
#include <cstdint>

namespace netrunner::reactor {

/// Numbers for any thread, each once.
class Ticket {
 public:
  [[nodiscard]] std::uint32_t take() noexcept { return next_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> next_{0};
};

}  // namespace netrunner::reactor
