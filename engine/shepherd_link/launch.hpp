#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/types.h>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"
#include "engine/shepherd_link/image.hpp"

namespace netrunner::shepherd_link {

/// How shepherds are started; the same for each of an engine's, whenever it is.
struct LaunchOptions {
  std::string path;             ///< A shepherd in a file; empty: the library's own image.
  std::shared_ptr<Image> image = std::make_shared<Image>();
  bool standard_policy = false; ///< SCHED_OTHER, whatever the launching thread has: commands inherit it.
  bool asynchronous = true;     ///< False: CLONE_VFORK.
  bool pid_namespace = false;   ///< The shepherd is init of a new PID namespace with its own /proc.
  rlimit descriptors{};         ///< RLIMIT_NOFILE of the engine's opening: what commands inherit.
};

struct Launched {
  os::UniqueFd pidfd;
  os::UniqueFd socket;
};

/// Starts a shepherd without blocking longer than its exec, without a SIGCHLD and without a zombie for the host: a
/// go-between that ends at once is its parent, so that it falls to init. clone(2) with CLONE_VM: the host's size does
/// not matter. Any thread.
[[nodiscard]] Result<Launched> launch(const LaunchOptions& options);

}  // namespace netrunner::shepherd_link
