#pragma once
/// The misbehaving commands of `netrunner stress` and `doctor`: this program started again as
///   netrunner stress --fault NAME ROLL-FILE ID [ARGUMENT...]
/// so that no other program is needed. Each opens and locks the roll file first, and hands it on to what it forks.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace netrunner::tool {

/// `words`: what follows --fault. Returns the exit status, or never.
int run_fault(const std::vector<std::string>& words);

/// Bytes whose value follows from their place, so that a byte lost, doubled or out of order is seen.
[[nodiscard]] constexpr char stress_byte(std::uint64_t seed, std::uint64_t offset) {
  return static_cast<char>(((seed + offset) * 0x9E3779B97F4A7C15ULL) >> 56);
}
[[nodiscard]] std::string stress_bytes(std::uint64_t seed, std::uint64_t offset, std::size_t size);

inline constexpr std::string_view fault_ready = "ready\n";  ///< What each that stays says when all of it is there.

}  // namespace netrunner::tool
