#pragma once

#include <cstdint>

#include <netrunner/error.hpp>

#include "engine/flow/carrier.hpp"
#include "engine/os/pipe.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/shard/spawn_plan.hpp"

namespace netrunner::shard {

/// What was made to carry one stream: our end, and the command's.
struct StreamLink {
  os::UniqueFd ours, theirs;
  flow::Carrier carrier = flow::Carrier::pipe;
  std::uint64_t writers_key = 0;  ///< Of a socket, see flow::Source.

  [[nodiscard]] static Result<StreamLink> open(const detail::SpawnPlan::Attachment& attachment, os::OurEnd ours);
};

}  // namespace netrunner::shard
