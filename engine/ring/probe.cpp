#include "engine/ring/probe.hpp"

#include <algorithm>
#include <cstddef>

namespace netrunner::ring {

Probe Probe::of(Ring& ring) {
  Probe probe;
  constexpr std::size_t bytes = sizeof(io_uring_probe) + operations_max * sizeof(io_uring_probe_op);
  alignas(io_uring_probe) unsigned char memory[bytes] = {};
  auto* answer = reinterpret_cast<io_uring_probe*>(memory);
  if (::io_uring_register_probe(ring.raw(), answer, operations_max) != 0) return probe;
  const std::uint32_t known = std::min<std::uint32_t>(std::uint32_t{answer->last_op} + 1, operations_max);
  for (std::uint32_t i = 0; i < known; ++i) {
    probe.operations_[i] = (answer->ops[i].flags & IO_URING_OP_SUPPORTED) != 0;
  }
  return probe;
}

}  // namespace netrunner::ring
