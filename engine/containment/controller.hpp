#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <netrunner/error.hpp>

#include "engine/os/hierarchy.hpp"

namespace netrunner::containment {

/// What limits are made of, by the names of cgroup v2.
enum class Controller : std::uint8_t { memory, pids, cpu, cpuset, io };
inline constexpr std::size_t controllers = 5;
inline constexpr std::array<Controller, controllers> all_controllers = {
    Controller::memory, Controller::pids, Controller::cpu, Controller::cpuset, Controller::io,
};
[[nodiscard]] constexpr const char* name_of(Controller controller) noexcept {
  constexpr std::array<const char*, controllers> names = {"memory", "pids", "cpu", "cpuset", "io"};
  return names[static_cast<std::size_t>(controller)];
}
[[nodiscard]] constexpr os::Hierarchy v1_of(Controller controller) noexcept {
  constexpr std::array<os::Hierarchy, controllers> homes = {os::Hierarchy::memory, os::Hierarchy::pids,
                                                            os::Hierarchy::cpu, os::Hierarchy::cpuset,
                                                            os::Hierarchy::blkio};
  return homes[static_cast<std::size_t>(controller)];
}

/// Where limits can be had: what plan_limits() asks. LimitPlaces is the real one.
class LimitGround {
 public:
  /// The hierarchy that carries a controller for our commands; made ready for them.
  [[nodiscard]] virtual Result<os::Hierarchy> place_of(Controller controller) = 0;
  /// Where a command needs a group so that its CPU time as a whole can be read; 0: its leaf of the containment does.
  [[nodiscard]] virtual Result<std::uint32_t> cpu_clock() = 0;
  /// Groups for our commands have this file there.
  [[nodiscard]] virtual bool has_file(os::Hierarchy hierarchy, const char* file) const = 0;
  /// What it says in the group that holds ours.
  [[nodiscard]] virtual std::string text_of(os::Hierarchy hierarchy, const char* file) const = 0;
  /// Its directory.
  [[nodiscard]] virtual std::string path_of(os::Hierarchy hierarchy) const = 0;

 protected:
  ~LimitGround() = default;
};

}  // namespace netrunner::containment
