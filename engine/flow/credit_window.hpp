#pragma once

#include <algorithm>
#include <cstdint>

#include <netrunner/error.hpp>

namespace netrunner::flow {

/// What several streams may have together: a command's budget.
/// Owner: one command. Thread: its shard.
class Budget {
 public:
  explicit Budget(std::uint64_t limit_bytes) noexcept : free_(limit_bytes) {}
  [[nodiscard]] std::uint64_t take(std::uint64_t wanted_bytes) noexcept {
    const std::uint64_t granted = std::min(wanted_bytes, free_);
    free_ -= granted;
    return granted;
  }
  void give(std::uint64_t bytes) noexcept { free_ += bytes; }
  [[nodiscard]] std::uint64_t free_bytes() const noexcept { return free_; }

 private:
  std::uint64_t free_;
};

/// The bytes of one stream between the pipe and the consumer.
///   limit == free (may be promised) + reserved (a read has it) + held (the consumer has it, or it waits for him)
/// Owner: one Outlet. Thread: its shard.
class CreditWindow {
 public:
  struct ReadEnd {
    std::uint32_t reserved_bytes, read_bytes;
  };
  CreditWindow(std::uint64_t limit_bytes, Budget& budget) noexcept
      : limit_(limit_bytes), free_(limit_bytes), budget_(&budget) {}

  /// 0: do not read.
  [[nodiscard]] std::uint32_t reserve(std::uint32_t wanted_bytes) noexcept {
    const auto wanted = std::min<std::uint64_t>(wanted_bytes, free_);
    const auto granted = static_cast<std::uint32_t>(budget_->take(wanted));
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
  [[nodiscard]] std::uint64_t limit_bytes() const noexcept { return limit_; }
  [[nodiscard]] std::uint64_t free_bytes() const noexcept { return free_; }
  [[nodiscard]] std::uint64_t reserved_bytes() const noexcept { return reserved_; }
  [[nodiscard]] std::uint64_t held_bytes() const noexcept { return held_; }

 private:
  void check() const noexcept { NR_ASSERT(limit_ == free_ + reserved_ + held_); }
  std::uint64_t limit_, free_, reserved_ = 0, held_ = 0;
  Budget* budget_;
};

}  // namespace netrunner::flow
