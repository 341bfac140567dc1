#include "shepherd/process_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/os/unique_fd.hpp"

namespace netrunner::shepherd {
namespace {

using Path = std::array<char, 64>;

// "1 22 333 " in pieces of any length.
bool each_number(int fd, void* context, void (*visit)(void*, pid_t)) {
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

bool each_child_of_thread(pid_t pid, pid_t thread, void* context, void (*visit)(void*, pid_t)) {
  Path path;
  std::snprintf(path.data(), path.size(), "/proc/%d/task/%d/children", pid, thread);
  const os::UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  return fd && each_number(fd.get(), context, visit);
}

}  // namespace

bool proc_is_ours() noexcept {
  std::array<char, 16> target{};
  const ssize_t bytes = ::readlink("/proc/self", target.data(), target.size() - 1);
  return bytes > 0 && std::atoi(target.data()) == ::getpid();
}

bool each_child(pid_t parent, void* context, void (*visit)(void* context, pid_t child)) {
  if (parent == ::getpid()) return each_child_of_thread(parent, parent, context, visit);  // We have one thread.
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

ProcessStatus status_of(pid_t pid) noexcept {
  Path path;
  std::snprintf(path.data(), path.size(), "/proc/%d/stat", pid);
  const os::UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> text{};
  if (!fd || ::read(fd.get(), text.data(), text.size() - 1) <= 0) return {};
  // The name, in parentheses, may hold anything; what follows the last one can't.
  const char* after = std::strrchr(text.data(), ')');
  if (after == nullptr || after[1] == 0 || after[2] == 0) return {};
  return {after[2], std::atoi(after + 3)};
}

void Walk::add(pid_t pid, pid_t parent) {
  if (count_ == found_.size()) {
    complete_ = false;
    return;
  }
  found_[count_++] = {pid, parent};
}

bool Walk::descend(void* context, bool (*skip)(void* context, pid_t child)) {
  return descend(::getpid(), context, skip);
}

bool Walk::descend_from(pid_t root) { return descend(root, nullptr, nullptr); }

bool Walk::descend(pid_t root, void* context, bool (*skip)(void* context, pid_t child)) {
  struct Visit {
    Walk* walk;
    void* context;
    bool (*skip)(void*, pid_t);
    pid_t parent;
  } visit{this, context, skip, root};
  const auto add_one = [](void* given, pid_t child) {
    auto& to = *static_cast<Visit*>(given);
    if (to.skip == nullptr || !to.skip(to.context, child)) to.walk->add(child, to.parent);
  };
  count_ = 0;
  complete_ = true;
  if (!each_child(visit.parent, &visit, add_one)) return false;
  visit.skip = nullptr;
  for (std::size_t i = 0; i < count_; ++i) {
    visit.parent = found_[i].pid;
    (void)each_child(visit.parent, &visit, add_one);  // It may be gone by now.
  }
  return true;
}

}  // namespace netrunner::shepherd
