#include "engine/shard/stream_link.hpp"

#include <utility>

#include "engine/os/stream_socket.hpp"

namespace netrunner::shard {

Result<StreamLink> StreamLink::open(const detail::SpawnPlan::Attachment& attachment, os::OurEnd ours) {
  if (attachment.transport == Transport::socket) {
    NR_TRY(socket, os::make_stream_socket(ours, attachment.pipe_bytes));
    const std::uint64_t key = os::socket_key(socket.theirs.get());
    return StreamLink{std::move(socket.ours), std::move(socket.theirs), flow::Carrier::socket, key};
  }
  NR_TRY(pipe, os::make_pipe(ours, attachment.pipe_bytes));
  const bool reads = ours == os::OurEnd::read;
  return StreamLink{std::move(reads ? pipe.read_end : pipe.write_end),
                    std::move(reads ? pipe.write_end : pipe.read_end), flow::Carrier::pipe, 0};
}

}  // namespace netrunner::shard
