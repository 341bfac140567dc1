#pragma once
/// The commands of a ladder's rungs: their Spawns, one after the other, in a sealed memfd of their own. The shepherd
/// keeps it mapped for as long as the command lives, and reads one when its rung is due.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/wire/spawn_body.hpp"

namespace netrunner::wire {

/// For each a SpawnFixed, then its body, padded to 8 bytes.
[[nodiscard]] std::vector<std::byte> encode(std::span<const SpawnBody> commands);

struct StopCommand {
  SpawnFixed fixed;
  std::span<const std::byte> body;  ///< Points into the bytes; SpawnView looks into it.
};
/// False: there is no command of that number, or what comes before it is malformed, or it asks for what a stop command
/// can't have (descriptors, a terminal, groups of its own). Bytes: aligned to 8. Copies only the fixed part.
[[nodiscard]] bool find_stop_command(std::span<const std::byte> bytes, std::uint32_t number,
                                     StopCommand& found) noexcept;

}  // namespace netrunner::wire
