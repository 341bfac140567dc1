#include "engine/os/child_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {
namespace {

using Path = std::array<char, 64>;

// "1 22 333 " in pieces of any length.
bool each_number(int fd, void* context, void (*visit)(void*, pid_t)) noexcept {
  std::array<char, 4096> text;
  pid_t number = 0;
  for (;;) {
    const ssize_t bytes = ::read(fd, text.data(), text.size());
    if (bytes < 0) return false;
    if (bytes == 0) break;
    for (ssize_t i = 0; i < bytes; ++i) {
      const char c = text[static_cast<std::size_t>(i)];
      if (c >= '0' && c <= '9') {
        number = number * 10 + (c - '0');
      } else if (number != 0) {
        visit(context, number);
        number = 0;
      }
    }
  }
  if (number != 0) visit(context, number);
  return true;
}

}  // namespace

bool each_child_of_thread(pid_t parent, pid_t thread, void* context, void (*visit)(void*, pid_t)) noexcept {
  Path path;
  std::snprintf(path.data(), path.size(), "/proc/%d/task/%d/children", parent, thread);
  const UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  return fd && each_number(fd.get(), context, visit);
}

bool each_child(pid_t parent, void* context, void (*visit)(void* context, pid_t child)) noexcept {
  Path path;
  std::snprintf(path.data(), path.size(), "/proc/%d/task", parent);
  DIR* threads = ::opendir(path.data());
  if (threads == nullptr) return false;
  bool listed = true;
  while (const dirent* entry = ::readdir(threads)) {
    if (entry->d_name[0] == '.') continue;
    listed = each_child_of_thread(parent, std::atoi(entry->d_name), context, visit) && listed;
  }
  ::closedir(threads);
  return listed;
}

}  // namespace netrunner::os
