#include "engine/os/process_status.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

ProcessStatus status_of(pid_t pid) noexcept {
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  const UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  if (!fd || ::read(fd.get(), text.data(), text.size() - 1) <= 0) return {};
  // The name, in parentheses, may hold anything; what follows the last one can't.
  const char* after = std::strrchr(text.data(), ')');
  if (after == nullptr || after[1] == 0 || after[2] == 0) return {};
  return {after[2], std::atoi(after + 3)};
}

}  // namespace netrunner::os
