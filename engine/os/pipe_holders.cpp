#include "engine/os/pipe_holders.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "engine/os/child_list.hpp"
#include "engine/os/pty.hpp"
#include "engine/os/stream_socket.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::os {
namespace {

std::int64_t processor_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::string name_of(pid_t pid) {
  char path[64], text[32];
  std::snprintf(path, sizeof path, "/proc/%d/comm", pid);
  const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = fd ? ::read(fd.get(), text, sizeof text) : -1;
  std::string name(text, static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
  if (name.ends_with('\n')) name.pop_back();
  return name;
}

/// The inode of "pipe:[4711]", the keys of "socket:[4711]" and "/dev/pts/7"; 0: it is none of them.
std::uint64_t key_of(int directory, const char* entry) {
  char target[64];
  const ssize_t bytes = ::readlinkat(directory, entry, target, sizeof target - 1);
  if (bytes <= 0) return 0;
  target[bytes] = '\0';
  struct stat terminal{};
  if (std::string_view(target).starts_with("/dev/pts/") && ::fstatat(directory, entry, &terminal, 0) == 0) {
    return pty_key(terminal);
  }
  unsigned long inode = 0;
  if (std::sscanf(target, "socket:[%lu]", &inode) == 1) return socket_key_of(inode);
  return std::sscanf(target, "pipe:[%lu]", &inode) == 1 ? inode : 0;
}

/// The link's own mode says how the descriptor is open, see proc(5).
bool is_open_for_writing(int directory, const char* entry) {
  struct stat link{};
  return ::fstatat(directory, entry, &link, AT_SYMLINK_NOFOLLOW) == 0 && (link.st_mode & S_IWUSR) != 0;
}

void add_to_list(void* pids, pid_t child) { static_cast<std::vector<pid_t>*>(pids)->push_back(child); }

}  // namespace

PipeHolders::PipeHolders(const std::vector<std::uint64_t>& keys, Bounds bounds)
    : counts_(keys.size()), without_holder_(keys.size()), bounds_(bounds) {
  for (std::size_t pipe = 0; pipe < keys.size(); ++pipe) keys_.emplace(keys[pipe], pipe);
}

bool PipeHolders::over() const noexcept {
  return (below_is_over() && without_holder_ == 0) || seen_.size() >= bounds_.processes_max ||
         descriptors_ >= bounds_.descriptors_max;
}

void PipeHolders::look_at(pid_t pid) {
  if (!seen_.insert(pid).second) return;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/fd", pid);
  const Directory descriptors(::opendir(path));
  if (descriptors == nullptr) return;
  std::vector<std::size_t> pipes;  // Each is told once, however many descriptors lead to it.
  const int directory = ::dirfd(descriptors.get());
  while (const dirent* entry = ::readdir(descriptors.get())) {
    if (entry->d_name[0] == '.') continue;
    if (++descriptors_ >= bounds_.descriptors_max) break;
    const auto key = keys_.find(key_of(directory, entry->d_name));
    if (key == keys_.end() || !is_open_for_writing(directory, entry->d_name)) continue;
    if (std::ranges::find(pipes, key->second) == pipes.end()) pipes.push_back(key->second);
  }
  for (const std::size_t pipe : pipes) {
    if (counts_[pipe] >= bounds_.found_max) continue;
    if (counts_[pipe]++ == 0) --without_holder_;
    found_.push_back({pipe, pid, name_of(pid)});
  }
}

void PipeHolders::begin_below(pid_t ancestor, const std::vector<pid_t>& but) {
  (void)each_child(ancestor, &below_, add_to_list);
  std::erase_if(below_, [&](pid_t child) { return std::ranges::binary_search(but, child); });
}

void PipeHolders::look_at_next_below() {
  const pid_t pid = below_[next_below_++];
  look_at(pid);
  (void)each_child(pid, &below_, add_to_list);  // It may be gone by now.
}

/// False: there are no more.
bool PipeHolders::look_at_next_of_all() {
  if (processes_ == nullptr) processes_.reset(::opendir("/proc"));
  const dirent* entry = processes_ == nullptr ? nullptr : ::readdir(processes_.get());
  if (entry == nullptr) return false;
  if (const pid_t pid = std::atoi(entry->d_name); pid > 0) look_at(pid);
  return true;
}

bool PipeHolders::search_on(std::int64_t slice_ns) {
  const std::int64_t until_ns = processor_ns() + slice_ns;
  while (!over()) {
    if (!below_is_over()) {
      look_at_next_below();
    } else if (!look_at_next_of_all()) {
      break;
    }
    if (processor_ns() >= until_ns) return over();
  }
  return true;
}

}  // namespace netrunner::os
