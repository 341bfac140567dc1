#include "tools/netrunner/orphans.hpp"

#include <sys/wait.h>
#include <unistd.h>

namespace netrunner::tool {

bool is_init() noexcept { return ::getpid() == 1; }

void reap_orphans() noexcept {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

}  // namespace netrunner::tool
