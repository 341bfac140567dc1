#pragma once
/// One cell of the death matrix: a host is started, something dies, and the survivors are counted.

#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "tools/netrunner/death_matrix.hpp"

namespace netrunner::tool {

inline constexpr auto death_grace = std::chrono::milliseconds(200);  ///< Between the ladder's SIGTERM and SIGKILL.
/// A shepherd that is stopped shows only by its silence; the host's patience with it comes on top.
inline constexpr auto death_silence_max = std::chrono::seconds(10);

struct DeathPlace {
  std::string id;       ///< Of the cell, unique.
  std::string cgroup;   ///< Where the host is put, so that no other host's start sweeps it; may be empty.
  std::uint32_t commands = 20, shards = 1;
  Nanoseconds gap{0};   ///< one_by_one: between two kills.
  Nanoseconds wait{0};  ///< After the ladder, before the survivors are counted.
};

/// Fills in what came of it; level, row and column say what to do. All of it is gone when this returns.
void run_cell(DeathCell& cell, const DeathPlace& place, std::mt19937_64& random);

[[nodiscard]] std::string option_name(Containment level);  ///< As --containment reads it.

}  // namespace netrunner::tool
