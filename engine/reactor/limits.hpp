#pragma once

#include <cstddef>

namespace netrunner::reactor {

/// Letters opened per turn; the rest waits for the next one, so that a storm of posts can't starve the ring.
inline constexpr std::size_t letters_per_turn_max = 4096;

}  // namespace netrunner::reactor
