#pragma once

#include <bitset>
#include <cstdint>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// Which operations this kernel has, asked of the kernel itself: version numbers lie.
class Probe {
 public:
  static constexpr std::uint32_t operations_max = 256;
  static constexpr std::uint8_t futex_wait = 51;  ///< Linux 6.7; liburing 2.3 doesn't know it.

  [[nodiscard]] static Probe of(Ring& ring);
  /// `operation`: IORING_OP_*.
  [[nodiscard]] bool has(std::uint8_t operation) const noexcept { return operations_[operation]; }

 private:
  std::bitset<operations_max> operations_;
};

}  // namespace netrunner::ring
