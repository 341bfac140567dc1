#pragma once
/// A host without root's rights, whoever started the tests.

#include <stdexcept>
#include <sys/types.h>
#include <unistd.h>

namespace tests {

inline constexpr uid_t nobody_id = 65534;

/// This process is nobody from here on; where it isn't root it stays who it is.
inline void become_nobody() {
  if (geteuid() != 0) return;
  if (setgid(nobody_id) != 0 || setuid(nobody_id) != 0) throw std::runtime_error("setuid");
}

}  // namespace tests
