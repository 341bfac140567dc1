#pragma once

#include <cstddef>
#include <cstdint>

namespace netrunner::reactor {

/// Letters opened per turn; the rest waits for the next one, so that a storm of posts can't starve the ring.
inline constexpr std::size_t letters_per_turn_max = 4096;

/// Nearer deadlines are the wait's own: the ring's alarm would be armed for each.
inline constexpr std::int64_t alarm_ahead_min_ns = 100'000'000;

}  // namespace netrunner::reactor
