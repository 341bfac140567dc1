#pragma once

#include <chrono>
#include <cstdint>

#include <netrunner/deadline.hpp>

namespace netrunner::shard {

inline constexpr std::uint32_t shards_max = 64;
/// A shepherd that does not end after its last command is killed: at the first look where it is stopped, else when it
/// has had more time than all that it does then may take.
inline constexpr std::int64_t shepherd_end_look_ns = 1'000'000'000;
inline constexpr std::int64_t shepherd_end_max_ns = 10'000'000'000;
/// After SIGKILL: how long a death is awaited before the caller gets its result all the same (uninterruptible sleep).
inline constexpr Nanoseconds killed_max = std::chrono::seconds(5);

/// Events that callbacks cause are told in the same turn, so many times over; the rest in the next.
inline constexpr std::uint32_t event_rounds_max = 16;
/// A cgroup that can't be removed for so long is worth a line to the operator.
inline constexpr std::int64_t group_stays_ns = 2'000'000'000;

}  // namespace netrunner::shard
