#pragma once
/// Whether a process belongs to a running command.

#include <string>
#include <sys/types.h>

#include <netrunner/exit_status.hpp>

#include "engine/daemon/notify_socket.hpp"

namespace netrunner::daemon {

/// What is known of the command: taken right after its start, before it could go elsewhere. Owner: an instance.
class Membership {
 public:
  Membership() = default;
  /// `variable` is "NAME=value", in the environment of this run alone.
  Membership(pid_t leader, Containment containment, std::string variable);

  /// With a cgroup of its own: whoever is in it. Else: the leader, its descendants, and those that have the variable
  /// in their environment and the leader's user (or root). A sender that has been reaped is nobody's.
  [[nodiscard]] bool has(const Sender& sender) const;

 private:
  [[nodiscard]] bool descends_from_leader(pid_t pid) const;
  [[nodiscard]] bool has_variable(pid_t pid) const;

  pid_t leader_ = 0;
  uid_t leader_uid_ = 0;
  std::string group_;  ///< Its cgroup; empty: it has none of its own.
  std::string variable_;
};

}  // namespace netrunner::daemon
