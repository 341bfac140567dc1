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

bool each_orphan(void* context, void (*visit)(void* context, pid_t child)) {
  return os::each_child_of_thread(::getpid(), ::getpid(), context, visit);
}

struct Walk::Visit {
  Walk* walk;
  pid_t parent;
  void* context = nullptr;
  bool (*skip)(void*, pid_t) = nullptr;

  static void meet(void* given, pid_t child) {
    auto& visit = *static_cast<Visit*>(given);
    if (visit.skip == nullptr || !visit.skip(visit.context, child)) visit.walk->add(child, visit.parent);
  }
};

void Walk::add(pid_t pid, pid_t parent) {
  if (count_ == found_.size()) {
    complete_ = false;
    return;
  }
  found_[count_++] = {pid, parent};
}

void Walk::begin() noexcept {
  count_ = 0;
  complete_ = true;
}

void Walk::go_down() {
  for (std::size_t i = 0; i < count_; ++i) {
    Visit visit{this, found_[i].pid};
    (void)os::each_child(visit.parent, &visit, Visit::meet);  // It may be gone by now.
  }
}

bool Walk::descend_from_orphans(void* context, bool (*skip)(void* context, pid_t child)) {
  begin();
  Visit visit{this, ::getpid(), context, skip};
  if (!each_orphan(&visit, Visit::meet)) return false;
  go_down();
  return true;
}

bool Walk::descend_from(pid_t root) {
  begin();
  Visit visit{this, root};
  if (!os::each_child(root, &visit, Visit::meet)) return false;
  go_down();
  return true;
}

}  // namespace netrunner::shepherd
