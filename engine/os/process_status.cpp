#include "engine/os/process_status.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {
namespace {

/// Field `number` of proc(5) /proc/pid/stat; `text` begins with the blank before field 3. Null: the line ends first.
const char* field_of(const char* text, int number) noexcept {
  for (int at = 3; text != nullptr && at < number; ++at) text = std::strchr(text + 1, ' ');
  return text;
}

}  // namespace

ProcessStatus status_of(pid_t pid) noexcept {
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  const UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  if (!fd || ::read(fd.get(), text.data(), text.size() - 1) <= 0) return {};
  // The name, in parentheses, may hold anything; what follows the last one can't.
  const char* after = std::strrchr(text.data(), ')');
  if (after == nullptr || after[1] == 0 || after[2] == 0) return {};
  const char* parent = field_of(after + 1, 4);
  const char* start_time = field_of(after + 1, 22);
  if (parent == nullptr || start_time == nullptr) return {};
  return {after[2], std::atoi(parent), std::strtoull(start_time, nullptr, 10)};
}

}  // namespace netrunner::os
