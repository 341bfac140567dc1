#include "shepherd/process_walk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/os/child_list.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::shepherd {
namespace {

using Path = std::array<char, 64>;

}  // namespace

bool proc_is_ours() noexcept {
  std::array<char, 16> target{};
  const ssize_t bytes = ::readlink("/proc/self", target.data(), target.size() - 1);
  return bytes > 0 && std::atoi(target.data()) == ::getpid();
}

bool each_child(pid_t parent, void* context, void (*visit)(void* context, pid_t child)) {
  const bool ourselves = parent == ::getpid();  // We have one thread.
  return ourselves ? os::each_child_of_thread(parent, parent, context, visit) : os::each_child(parent, context, visit);
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
  ProcessStatus status{after[2], std::atoi(after + 3), 0};
  constexpr int state_field = 3, start_field = 22;  // proc_pid_stat(5)
  const char* field = after + 1;
  for (int number = state_field; field != nullptr && number < start_field; ++number) {
    field = std::strchr(field + 1, ' ');
  }
  if (field != nullptr) status.start = std::strtoull(field, nullptr, 10);
  return status;
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
