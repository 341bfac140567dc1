#include "engine/containment/process_group_manager.hpp"

#include <signal.h>

#include "engine/os/environment_mark.hpp"

namespace netrunner::containment {

std::uint32_t ProcessGroupManager::kill_marked(std::uint64_t shepherd_mark) noexcept {
  // Stopped, none of them forks away from the second signal.
  (void)os::signal_marked(shepherd_mark, SIGSTOP);
  return os::signal_marked(shepherd_mark, SIGKILL);
}

}  // namespace netrunner::containment
