#pragma once

#include <cstddef>
#include <cstdint>

namespace netrunner::wire {

/// Bounds of the treaty. A frame is one SOCK_SEQPACKET message; SCM_RIGHTS carries 253 descriptors at most.
inline constexpr std::size_t frame_bytes_max = 64 * 1024;
inline constexpr std::size_t frame_descriptors_max = 250;
/// A Spawn whose body is larger travels in a sealed memfd. At least a dozen inline ones fit one frame.
inline constexpr std::size_t inline_body_bytes_max = 5 * 1024;
inline constexpr std::size_t memfd_body_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t rungs_max = 16;
inline constexpr std::uint32_t stop_commands_max = 4;  ///< Rungs of one ladder that run a command.
inline constexpr std::size_t stop_commands_bytes_max = memfd_body_bytes_max;
inline constexpr std::size_t actions_max = 256;      ///< Descriptors of one command.
inline constexpr std::size_t action_number_max = 255;
/// Frames that wait behind a socket that the other side doesn't read. A shard has commands_max commands with a bounded
/// number of messages each; a shepherd takes no new request while more than `frames_pause` wait.
inline constexpr std::size_t frames_waiting_max = 16 * 1024;
inline constexpr std::size_t frames_pause = 4;
inline constexpr std::size_t resource_limits_max = 32;
inline constexpr std::size_t groups_max = 1024;
inline constexpr std::size_t cpus_max = 1024;
inline constexpr std::uint32_t capabilities_max = 64;  ///< Bits of a set; the last one stands for "all that there are".
inline constexpr std::size_t leaf_writes_max = 32;  ///< Files of a command's groups: a word has a bit for each.
inline constexpr std::size_t leaf_writes_bytes_max = 64 * 1024;
inline constexpr std::size_t failure_head_bytes_max = 1024;  ///< First bytes of a program that could not be executed.
inline constexpr std::size_t failure_path_bytes_max = 4096;

static_assert(inline_body_bytes_max * 12 <= frame_bytes_max);
static_assert(frame_descriptors_max <= 253);

}  // namespace netrunner::wire
