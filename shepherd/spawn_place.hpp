#pragma once
/// The memory of a start under way, and of one that waits for its turn.

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/os/command_mark.hpp"
#include "engine/wire/message.hpp"
#include "shepherd/child_job.hpp"
#include "shepherd/limits.hpp"

namespace netrunner::shepherd {

/// A Spawn as it came: the message's memory is used again for the next frame.
struct SpawnCopy {
  wire::SpawnFixed fixed;
  std::int64_t taken_ns = 0;
  std::uint32_t body_bytes = 0;
  std::uint32_t descriptor_count = 0;
  std::array<std::int32_t, wire::frame_descriptors_max> descriptors;  ///< Owned.
  alignas(8) std::array<std::byte, wire::inline_body_bytes_max> body;
};

/// What one child needs between clone and the end of exec. The pages that only rare commands use come last.
struct alignas(4096) SpawnPlace {
  std::array<std::byte, 4096> guard;  ///< Not accessible: a stack that grows too far faults instead of writing on.
  std::array<std::byte, stack_bytes> stack;
  alignas(16) volatile std::uint32_t tid_word;  ///< 1 from before clone until the kernel clears it at exec or death.
  ChildJob job;
  SpawnCopy spawn;
  alignas(4096) std::array<char*, pointers_inline_max> pointers;
  alignas(4096) std::array<std::int32_t, wire::actions_max> sources;
  alignas(4096) std::array<char, wire::failure_path_bytes_max> path;
  std::array<char, wire::failure_head_bytes_max> head;
  char mark[os::mark_bytes_max];
  char leader[32];  ///< NETRUNNER_PID of a stop command.
};
static_assert(sizeof(SpawnPlace) % 4096 == 0);

}  // namespace netrunner::shepherd
