#pragma once
/// What this kernel's io_uring offers of that which the engine uses.

#include <string_view>
#include <vector>

#include <netrunner/error.hpp>

namespace netrunner {

/// An operation or a registration of io_uring, see io_uring_enter(2) and io_uring_register(2). Literals all.
struct RingOperation {
  std::string_view name;     ///< "IORING_OP_FUTEX_WAIT".
  std::string_view since;    ///< "Linux 6.7".
  std::string_view use;      ///< What the engine does with it.
  std::string_view without;  ///< What it does where it is missing; empty: it can't do without, Engine::open fails.
  bool there = false;
};

/// Asks the kernel, by a ring of its own; version numbers lie. Any thread; opens and closes descriptors. Error:
/// io_uring_unavailable, as Engine::open has it.
[[nodiscard]] Result<std::vector<RingOperation>> probe_ring();

}  // namespace netrunner
