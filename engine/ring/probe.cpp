#include "engine/ring/probe.hpp"

#include <cstddef>

namespace netrunner::ring {

Probe Probe::of(Ring& ring) {
  constexpr std::uint32_t op_futex_wait = 51;
  constexpr unsigned int operations_max = 256;
  Probe probe;
  constexpr std::size_t bytes = sizeof(io_uring_probe) + operations_max * sizeof(io_uring_probe_op);
  alignas(io_uring_probe) unsigned char memory[bytes] = {};
  auto* answer = reinterpret_cast<io_uring_probe*>(memory);
  if (::io_uring_register_probe(ring.raw(), answer, operations_max) != 0) return probe;
  probe.last_operation = answer->last_op;
  probe.futex_wait = answer->last_op >= op_futex_wait &&
                     (answer->ops[op_futex_wait].flags & IO_URING_OP_SUPPORTED) != 0;
  return probe;
}

}  // namespace netrunner::ring
