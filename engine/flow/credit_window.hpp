#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <netrunner/error.hpp>

namespace netrunner::flow {

class CreditWindow;

/// What several streams may have together: a command's budget. Each of them is sure of its share of half of it, so
/// that one that nobody reads (or that nothing comes from) can't stop another; the rest goes to whoever comes first.
/// Owner: one command. Thread: its shard.
class Budget {
 public:
  explicit Budget(std::uint64_t limit_bytes) noexcept : limit_(limit_bytes), free_(limit_bytes) {}
  void join(CreditWindow& window) { windows_.push_back(&window); }
  void leave(CreditWindow& window) { std::erase(windows_, &window); }
  [[nodiscard]] std::uint64_t take(const CreditWindow& taker, std::uint64_t wanted_bytes) noexcept;
  void give(std::uint64_t bytes) noexcept { free_ += bytes; }
  [[nodiscard]] std::uint64_t free_bytes() const noexcept { return free_; }

 private:
  std::uint64_t limit_, free_;
  std::vector<CreditWindow*> windows_;
};

/// The bytes of one stream between the pipe and the consumer.
///   limit == free (may be promised) + reserved (a read has it) + held (the consumer has it, or it waits for him)
/// Owner: one Outlet. Thread: its shard.
class CreditWindow {
 public:
  struct ReadEnd {
    std::uint32_t reserved_bytes, read_bytes;
  };
  CreditWindow(std::uint64_t limit_bytes, Budget& budget)
      : limit_(limit_bytes), free_(limit_bytes), budget_(&budget) {
    budget.join(*this);
  }
  CreditWindow(const CreditWindow&) = delete;
  CreditWindow& operator=(const CreditWindow&) = delete;
  ~CreditWindow() { leave_budget(); }

  /// 0: do not read.
  [[nodiscard]] std::uint32_t reserve(std::uint32_t wanted_bytes) noexcept {
    const auto wanted = std::min<std::uint64_t>(wanted_bytes, free_);
    const auto granted = static_cast<std::uint32_t>(budget_->take(*this, wanted));
    free_ -= granted;
    reserved_ += granted;
    check();
    return granted;
  }
  /// A read ended, perhaps short: the rest of its reservation is free at once.
  void settle(ReadEnd end) noexcept {
    NR_ASSERT(end.reserved_bytes <= reserved_ && end.read_bytes <= end.reserved_bytes);
    reserved_ -= end.reserved_bytes;
    held_ += end.read_bytes;
    free_ += end.reserved_bytes - end.read_bytes;
    budget_->give(end.reserved_bytes - end.read_bytes);
    check();
  }
  /// A Chunk was let go.
  void give_back(std::uint64_t bytes) noexcept {
    NR_ASSERT(bytes <= held_);
    held_ -= bytes;
    free_ += bytes;
    budget_->give(bytes);
    check();
  }
  /// Nothing more is reserved: its share is for the others. What it still has goes back as ever.
  void leave_budget() noexcept { budget_->leave(*this); }
  [[nodiscard]] std::uint64_t limit_bytes() const noexcept { return limit_; }
  [[nodiscard]] std::uint64_t free_bytes() const noexcept { return free_; }
  [[nodiscard]] std::uint64_t reserved_bytes() const noexcept { return reserved_; }
  [[nodiscard]] std::uint64_t held_bytes() const noexcept { return held_; }
  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return reserved_ + held_; }

 private:
  void check() const noexcept { NR_ASSERT(limit_ == free_ + reserved_ + held_); }
  std::uint64_t limit_, free_, reserved_ = 0, held_ = 0;
  Budget* budget_;
};

inline std::uint64_t Budget::take(const CreditWindow& taker, std::uint64_t wanted_bytes) noexcept {
  const std::uint64_t share = std::max<std::uint64_t>(limit_ / (2 * std::max<std::size_t>(windows_.size(), 1)), 1);
  std::uint64_t kept_for_others = 0;
  for (const CreditWindow* other : windows_) {
    if (other != &taker && other->used_bytes() < share) kept_for_others += share - other->used_bytes();
  }
  const std::uint64_t available = free_ > kept_for_others ? free_ - kept_for_others : 0;
  const std::uint64_t granted = std::min(wanted_bytes, available);
  free_ -= granted;
  return granted;
}

}  // namespace netrunner::flow
