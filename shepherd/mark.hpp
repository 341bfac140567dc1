#pragma once
/// The environment mark: how a process is known as a command's where there is no cgroup to tell. A program that clears
/// its environment loses it.

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

#include "engine/wire/child_id.hpp"

namespace netrunner::shepherd {

/// "NETRUNNER_COMMAND=<shepherd>.<slot>.<generation>", hexadecimal.
struct Mark {
  std::uint64_t shepherd = 0;  ///< Unique among all shepherds of this boot.
  wire::ChildId id;
  friend bool operator==(const Mark&, const Mark&) = default;
};
inline constexpr std::size_t mark_bytes_max = 64;

/// Of this shepherd: its pid and its start, so that no other ever has it.
[[nodiscard]] std::uint64_t own_mark() noexcept;
void write_mark(const Mark& mark, char (&text)[mark_bytes_max]) noexcept;
/// False: the process is gone, may not be looked at, or has no mark.
[[nodiscard]] bool mark_of(pid_t pid, Mark& mark) noexcept;

}  // namespace netrunner::shepherd
