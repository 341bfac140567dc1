#include <netrunner/probe.hpp>

#include <array>
#include <cstdint>

#include "engine/ring/buffer_ring.hpp"
#include "engine/ring/probe.hpp"
#include "engine/ring/ring.hpp"

namespace netrunner {
namespace {

struct Known {
  std::uint8_t number;
  RingOperation operation;
};

constexpr std::array<Known, 7> known_operations = {{
    {IORING_OP_READ, {"IORING_OP_READ", "Linux 5.6", "reads output, and the mailbox's eventfd", ""}},
    {IORING_OP_WRITE, {"IORING_OP_WRITE", "Linux 5.6", "writes input", ""}},
    {IORING_OP_POLL_ADD, {"IORING_OP_POLL_ADD", "Linux 5.1", "sees a command end, by its pidfd", ""}},
    {IORING_OP_SENDMSG, {"IORING_OP_SENDMSG", "Linux 5.3", "speaks to the shepherd", ""}},
    {IORING_OP_RECVMSG, {"IORING_OP_RECVMSG", "Linux 5.3", "hears the shepherd", ""}},
    {IORING_OP_ASYNC_CANCEL, {"IORING_OP_ASYNC_CANCEL", "Linux 5.5", "takes a read or write back", ""}},
    {ring::Probe::futex_wait,
     {"IORING_OP_FUTEX_WAIT", "Linux 6.7", "awaits the end of each exec",
      "a pipe per start that exec closes, some microseconds more"}},
}};

constexpr RingOperation buffer_ring = {"IORING_REGISTER_PBUF_RING", "Linux 5.19",
                                       "an idle stream holds no buffer", ""};

RingOperation as(RingOperation operation, bool there) {
  operation.there = there;
  return operation;
}

}  // namespace

Result<std::vector<RingOperation>> probe_ring() {
  constexpr ring::RingOptions small{.submission_entries = 8, .completion_entries = 16};
  constexpr std::uint16_t group = 1;
  NR_TRY(ring, ring::Ring::open(small));
  const ring::Probe probe = ring::Probe::of(*ring);
  std::vector<RingOperation> all;
  all.reserve(known_operations.size() + 1);
  for (const Known& known : known_operations) all.push_back(as(known.operation, probe.has(known.number)));
  all.push_back(as(buffer_ring, ring::BufferRing::open(*ring, group, 8).has_value()));
  return all;
}

}  // namespace netrunner
