#include "engine/wire/stop_commands.hpp"

#include <cstring>

#include "engine/wire/codec.hpp"

namespace netrunner::wire {
namespace {

constexpr std::uint32_t never_set =
    body_in_memfd | cwd_attached | own_session | join_group | controlling_terminal | has_stop_commands;

bool is_modest(const SpawnFixed& fixed) noexcept {
  return (fixed.flags & never_set) == 0 && fixed.rung_count == 0 && fixed.leaf_writes_bytes == 0 &&
         fixed.hierarchies == 0 && fixed.cpu_time_ns == 0;
}

}  // namespace

std::vector<std::byte> encode(std::span<const SpawnBody> commands) {
  std::vector<std::byte> bytes;
  for (const SpawnBody& command : commands) {
    SpawnFixed fixed = command.fixed;
    fixed.flags &= ~static_cast<std::uint32_t>(body_in_memfd);
    const auto head = std::as_bytes(std::span(&fixed, 1));
    bytes.insert(bytes.end(), head.begin(), head.end());
    bytes.insert(bytes.end(), command.bytes.begin(), command.bytes.end());
    bytes.resize(padded(bytes.size()));
  }
  return bytes;
}

bool find_stop_command(std::span<const std::byte> bytes, std::uint32_t number, StopCommand& found) noexcept {
  if (number >= stop_commands_max) return false;
  for (std::uint32_t i = 0;; ++i) {
    if (bytes.size() < sizeof(SpawnFixed)) return false;
    std::memcpy(&found.fixed, bytes.data(), sizeof found.fixed);
    bytes = bytes.subspan(sizeof(SpawnFixed));
    const std::size_t body_bytes = found.fixed.body_bytes;
    if (body_bytes > memfd_body_bytes_max || padded(body_bytes) > bytes.size()) return false;
    found.body = bytes.first(body_bytes);
    if (i == number) return is_modest(found.fixed);
    bytes = bytes.subspan(padded(body_bytes));
  }
}

}  // namespace netrunner::wire
