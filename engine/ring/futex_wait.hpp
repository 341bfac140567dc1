#pragma once

#include <cstdint>

#include "engine/ring/ring.hpp"

namespace netrunner::ring {

/// IORING_OP_FUTEX_WAIT on a shared word, Linux 6.7. Result -EAGAIN: the word had another value already, which is
/// what was waited for. See io_uring_enter(2).
class FutexWait : public Operation {
 public:
  using Operation::Operation;
  void arm(Ring& ring, const std::uint32_t* word, std::uint32_t expected) {
    constexpr std::uint8_t op_futex_wait = 51;     // liburing 2.3 doesn't know it.
    constexpr int futex2_size_u32 = 0x02;          // Shared: the kernel's wake at exec is a shared one.
    constexpr std::uint64_t any_waker = 0xffffffffU;
    io_uring_sqe* sqe = ring.prepare(*this);
    sqe->opcode = op_futex_wait;
    sqe->fd = futex2_size_u32;
    sqe->addr = reinterpret_cast<std::uint64_t>(word);
    sqe->off = expected;
    sqe->addr3 = any_waker;
  }
};

}  // namespace netrunner::ring
