#pragma once

#include <cstdint>

namespace netrunner::wire {

/// A command on both sides of the treaty: the slot is used again, the generation never with it.
struct ChildId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend bool operator==(const ChildId&, const ChildId&) = default;
};

}  // namespace netrunner::wire
