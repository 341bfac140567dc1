#pragma once
/// The named maxima of this room.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <netrunner/deadline.hpp>
#include <netrunner/limits.hpp>

namespace netrunner::daemon {

inline constexpr std::uint32_t instances_max = 1000;
inline constexpr std::uint32_t burst_restarts_max = 10'000;
inline constexpr std::uint32_t rotated_files_max = 1000;
inline constexpr std::uint64_t rotation_bytes_min = 4 * KiB;
inline constexpr std::size_t line_bytes_least = 64;
inline constexpr std::size_t line_bytes_most = 1 * MiB;
inline constexpr Nanoseconds backoff_least = std::chrono::milliseconds(1);

/// Of what is to be there before a start.
inline constexpr Nanoseconds wait_poll = std::chrono::milliseconds(50);
/// Of a port or a command that tells whether an instance is ready: from the first to the longest pause.
inline constexpr Nanoseconds probe_poll_first = std::chrono::milliseconds(20);
inline constexpr Nanoseconds probe_poll_longest = std::chrono::milliseconds(500);
inline constexpr Nanoseconds probe_deadline = std::chrono::seconds(10);

/// Of one notification, see sd_notify(3); what is longer is refused.
inline constexpr std::size_t notification_bytes_max = 4 * KiB;
inline constexpr std::size_t notification_descriptors_max = 16;
/// Of one look at one socket, so that a sender can't hold the others up.
inline constexpr int notifications_per_turn = 64;
/// Of STATUS=.
inline constexpr std::size_t status_text_bytes_max = 1 * KiB;
/// How far up a sender's parents are followed.
inline constexpr int ancestors_max = 64;

/// What a file sink gathers before it writes.
inline constexpr std::size_t gathered_bytes_max = 256 * KiB;
/// A log file that can't be opened or renamed is tried again after so long.
inline constexpr Nanoseconds file_retry = std::chrono::seconds(1);

}  // namespace netrunner::daemon
