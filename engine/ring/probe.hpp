#pragma once

#include <cstdint>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// Which of the newer operations this kernel has, asked of the kernel itself: version numbers lie.
struct Probe {
  bool futex_wait = false;  ///< Linux 6.7.
  std::uint32_t last_operation = 0;
  [[nodiscard]] static Probe of(Ring& ring);
};

}  // namespace netrunner::ring
