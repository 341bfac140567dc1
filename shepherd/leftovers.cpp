#include "shepherd/leftovers.hpp"

#include <algorithm>
#include <cstdio>
#include <new>

namespace netrunner::shepherd {

GroupName::GroupName(char kind, std::uint32_t number) noexcept {
  (void)std::snprintf(text, sizeof text, "%c%u", kind, number);
}

void Leftovers::remove(const os::Cgroup& directory, GroupName name) {
  if (directory.remove_child(name.text) == 0) return;
  if (count_ == commands_max) return;  // The end removes it with the directory.
  new (&entries_[count_++]) Entry{&directory, name, now_ns()};
  pause_ns_ = leaf_retry_min_ns;
  due_ns_ = std::min(due_ns_, entries_[count_ - 1].since_ns + pause_ns_);
}

void Leftovers::try_again(std::int64_t now) {
  lasting_ = 0;
  for (std::uint32_t i = 0; i < count_;) {
    if (entries_[i].directory->remove_child(entries_[i].name.text) == 0) {
      entries_[i] = entries_[--count_];
    } else {
      lasting_ += now - entries_[i].since_ns >= leaf_lasting_ns ? 1 : 0;
      ++i;
    }
  }
  pause_ns_ = count_ == 0 ? 0 : std::min(2 * pause_ns_, leaf_retry_max_ns);
  due_ns_ = count_ == 0 ? never : now + pause_ns_;
}

}  // namespace netrunner::shepherd
