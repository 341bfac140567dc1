#include "engine/containment/process_group_manager.hpp"

namespace netrunner::containment {

void ProcessGroupManager::kill_some() {
  std::erase_if(hunts_, [](os::MarkedHunt& hunt) { return hunt.kill_some(); });
}

}  // namespace netrunner::containment
