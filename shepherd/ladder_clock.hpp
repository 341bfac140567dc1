#pragma once
/// The deadlines of all commands: a heap in user space, and the earliest one is the deadline of the ring's turn.

#include <cstdint>

#include "shepherd/clock.hpp"
#include "shepherd/region.hpp"

namespace netrunner::shepherd {

/// At most one deadline per slot. Setting, moving and clearing one costs the heap's depth.
class LadderClock {
 public:
  [[nodiscard]] bool open(std::uint32_t slots) noexcept { return heap_.open(slots) && places_.open(slots); }

  void set(std::uint32_t slot, std::int64_t due_ns) noexcept;  ///< `never` clears it.
  void clear(std::uint32_t slot) noexcept;
  [[nodiscard]] std::int64_t earliest_ns() const noexcept { return count_ == 0 ? never : heap_[0].due_ns; }
  /// Takes one that is due. False: none is.
  [[nodiscard]] bool take_due(std::int64_t now, std::uint32_t& slot) noexcept;

 private:
  struct Entry {
    std::int64_t due_ns;
    std::uint32_t slot;
  };
  void put(std::uint32_t place, Entry entry) noexcept;
  void rise(std::uint32_t place, Entry entry) noexcept;
  void sink(std::uint32_t place, Entry entry) noexcept;

  Region<Entry> heap_;
  Region<std::uint32_t> places_;  ///< By slot: place in the heap + 1; 0: no deadline.
  std::uint32_t count_ = 0;
};

}  // namespace netrunner::shepherd
