#include "engine/os/pipe_holders.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

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

}  // namespace

PipeHolders::PipeHolders(std::vector<std::uint64_t> keys, Bounds bounds)
    : keys_(std::move(keys)), bounds_(bounds) {}

bool PipeHolders::exhausted() const noexcept {
  return found_.size() >= bounds_.found_max || seen_.size() >= bounds_.processes_max ||
         descriptors_ >= bounds_.descriptors_max;
}

bool PipeHolders::over() const noexcept {
  if (exhausted()) return true;
  for (std::size_t pipe = 0; pipe < keys_.size(); ++pipe) {
    if (std::ranges::find(found_, pipe, &Found::pipe) == found_.end()) return false;
  }
  return true;
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
    const auto key = std::ranges::find(keys_, key_of(directory, entry->d_name));
    if (key == keys_.end() || !is_open_for_writing(directory, entry->d_name)) continue;
    const auto pipe = static_cast<std::size_t>(key - keys_.begin());
    if (std::ranges::find(pipes, pipe) == pipes.end()) pipes.push_back(pipe);
  }
  for (const std::size_t pipe : pipes) {
    if (found_.size() < bounds_.found_max) found_.push_back({pipe, pid, name_of(pid)});
  }
}

void PipeHolders::search_below(pid_t ancestor, const std::vector<pid_t>& but) {
  std::vector<pid_t> found;
  const auto add = [](void* into, pid_t child) { static_cast<std::vector<pid_t>*>(into)->push_back(child); };
  (void)each_child(ancestor, &found, add);
  std::erase_if(found, [&](pid_t child) { return std::ranges::binary_search(but, child); });
  for (std::size_t i = 0; i < found.size() && !exhausted(); ++i) {
    look_at(found[i]);
    (void)each_child(found[i], &found, add);  // It may be gone by now.
  }
}

bool PipeHolders::search_on(std::int64_t slice_ns) {
  const std::int64_t until_ns = processor_ns() + slice_ns;
  if (processes_ == nullptr) processes_.reset(::opendir("/proc"));
  while (processes_ != nullptr && !over()) {
    const dirent* entry = ::readdir(processes_.get());
    if (entry == nullptr) break;
    if (const pid_t pid = std::atoi(entry->d_name); pid > 0) look_at(pid);
    if (processor_ns() >= until_ns) return false;
  }
  processes_.reset();
  return true;
}

}  // namespace netrunner::os
