#pragma once

#include <cstddef>
#include <cstdint>

namespace netrunner::flow {

inline constexpr std::uint32_t chunk_bytes_min = 4 * 1024;
inline constexpr std::uint32_t chunk_bytes_max = 1024 * 1024;
inline constexpr std::uint64_t budget_bytes_min = 64 * 1024;
/// Of the budget kept in small chunks for streams that hold nothing: floods can't starve a trickle.
inline constexpr std::uint64_t floor_share = 8;
/// Buffers that the kernel has at a time. Few, so that they stay in the cache: with 64 of them a thousand streams of
/// 64 KiB were a quarter slower. In one go it completes 20 reads that wait (since Linux 6.12), so more are of no use.
inline constexpr std::uint32_t offered_max = 24;
/// A read of so much is moved from a large chunk to a small one, so that a reader who keeps it keeps no more. That is
/// some ten nanoseconds; a read that fills a small chunk is moved where large ones are scarce, and only there.
inline constexpr std::uint32_t moved_bytes_max = 512;
/// Streams in line that are served per turn: some of them use no chunk, and the next ones have the next turn.
inline constexpr std::uint32_t served_per_turn_max = 16;
/// Reads armed per turn; each may take an offered buffer at once.
inline constexpr std::uint32_t reads_per_turn_max = 20;
inline constexpr std::uint32_t chunks_max = 32768;      ///< io_uring's bound for one buffer ring.
/// Completions of a turn up to which a stream is written to by a system call of its own.
inline constexpr std::uint32_t quiet_completions_max = 4;
inline constexpr std::size_t input_at_once_max = 1024 * 1024;  ///< Bytes of one write operation.

static_assert(reads_per_turn_max < offered_max);

}  // namespace netrunner::flow
