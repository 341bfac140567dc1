#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

#include <netrunner/error.hpp>

namespace netrunner::containment {

/// What the name of an instance's group says of its owner.
struct InstanceName {
  std::string boot_id;
  std::uint64_t pid_namespace = 0;
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static Result<InstanceName> parse(const std::string& text);
  [[nodiscard]] static Result<InstanceName> own();
  /// The process with this pid and start time lives, in this boot and PID namespace. Another namespace's can't be
  /// judged: it counts as alive.
  [[nodiscard]] bool owner_lives(const InstanceName& us) const;
};

}  // namespace netrunner::containment
