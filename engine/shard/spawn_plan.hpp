#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include <netrunner/command.hpp>

#include "engine/containment/limit_places.hpp"
#include "engine/containment/limit_plan.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::detail {

/// A command made ready in the caller's thread: checked, encoded, its descriptors duplicated. What is left to the
/// shard is to make the pipes and to send it.
struct SpawnPlan {
  enum class Attached : std::uint8_t { descriptor, output_pipe, input_pipe, known_input, terminal };
  /// One per action that attaches a descriptor, in the order of the actions.
  struct Attachment {
    Attached what = Attached::descriptor;
    Stream stream = Stream::out;
    os::UniqueFd descriptor;
    std::uint64_t window_bytes = 0;
    std::uint32_t pipe_bytes = 0;
    std::uint32_t chunk_bytes = UINT32_MAX;  ///< The largest that a reader gets.
    Transport transport = Transport::pipe;
    std::uint64_t queue_bytes = 0;  ///< terminal: the bound of the queue to it, as `window_bytes` is that from it.
  };

  explicit SpawnPlan(Command planned) : command(std::move(planned)) {}

  Command command;  ///< Keeps the input that is known in advance.
  wire::SpawnFixed fixed;
  std::vector<std::byte> body;
  os::UniqueFd body_memfd;  ///< Where the body is too large for a frame.
  os::UniqueFd stop_commands;  ///< Of the ladder, where it has any.
  os::UniqueFd cwd;         ///< The host's directory, where it is another than at the engine's opening.
  std::vector<Attachment> attachments;
  std::unique_ptr<containment::LimitPlan> limits;     ///< None were asked for: null.
  containment::LimitPlaces* limit_places = nullptr;   ///< Where there are limits.
  std::uint64_t budget_bytes = 0;
  std::int64_t queued_ns = 0;
  std::stop_token stop;
};

}  // namespace netrunner::detail
