#include "engine/os/scheduling.hpp"

#include <sched.h>
#include <sys/utsname.h>

#include <cstdlib>

namespace netrunner::os {
namespace {

bool kernel_has_eevdf() noexcept {
  utsname system{};
  if (::uname(&system) != 0) return false;
  char* rest = nullptr;
  const long major = std::strtol(system.release, &rest, 10);
  const long minor = rest != nullptr && *rest == '.' ? std::strtol(rest + 1, nullptr, 10) : 0;
  return major > 6 || (major == 6 && minor >= 6);
}

}  // namespace

// A thread's own threads don't inherit the flag.
bool has_standard_policy() noexcept { return (::sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_OTHER; }

void give_way_when_woken() noexcept {
  const sched_param none{};
  if (has_standard_policy() && kernel_has_eevdf()) (void)::sched_setscheduler(0, SCHED_BATCH, &none);
}

}  // namespace netrunner::os
