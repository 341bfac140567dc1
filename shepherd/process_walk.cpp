#include "shepherd/process_walk.hpp"

#include <unistd.h>

#include <cstdlib>

#include "engine/os/child_list.hpp"

namespace netrunner::shepherd {

bool proc_is_ours() noexcept {
  std::array<char, 16> target{};
  const ssize_t bytes = ::readlink("/proc/self", target.data(), target.size() - 1);
  return bytes > 0 && std::atoi(target.data()) == ::getpid();
}

bool each_own_child(void* context, void (*visit)(void* context, pid_t child)) {
  return os::each_child_of_thread(::getpid(), ::getpid(), context, visit);  // We have one thread.
}

bool each_child(pid_t parent, void* context, void (*visit)(void* context, pid_t child)) {
  return parent == ::getpid() ? each_own_child(context, visit) : os::each_child(parent, context, visit);
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
