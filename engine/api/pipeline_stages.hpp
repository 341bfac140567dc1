#pragma once

#include <vector>

#include <netrunner/command.hpp>
#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::detail {

/// The stages of a pipeline with the kernel's pipes between them. The descriptors must stay until every stage has
/// been handed to spawn(), which duplicates them.
struct PipelineStages {
  std::vector<Command> commands;
  std::vector<os::UniqueFd> descriptors;
};
[[nodiscard]] Result<PipelineStages> pipeline_stages(const std::vector<Command>& stages);

}  // namespace netrunner::detail
