#pragma once
/// Errors that say nothing of what was asked for: no descriptor or memory was left to look at it.

#include <cerrno>

namespace netrunner::os {

/// What can't be looked at may be there: the same call may see it in a moment.
[[nodiscard]] inline bool is_want_of_room(int sys_errno) noexcept {
  return sys_errno == EMFILE || sys_errno == ENFILE || sys_errno == ENOMEM;
}

}  // namespace netrunner::os
