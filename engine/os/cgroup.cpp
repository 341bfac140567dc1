#include "engine/os/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "engine/os/descriptor.hpp"

namespace netrunner::os {
namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

/// A directory's stream on a descriptor of its own; the caller's keeps its place.
class Directory {
 public:
  explicit Directory(int parent, const char* name) noexcept {
    const int fd = ::openat(parent, name, directory_flags | O_NOFOLLOW);
    if (fd >= 0) stream_ = ::fdopendir(fd);
    if (fd >= 0 && stream_ == nullptr) ::close(fd);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() {
    if (stream_ != nullptr) ::closedir(stream_);
  }
  [[nodiscard]] bool there() const noexcept { return stream_ != nullptr; }
  [[nodiscard]] int fd() const noexcept {
    const int fd = ::dirfd(stream_);
    NR_ASSERT(fd >= 0);
    return fd;
  }
  /// The next group below; null: no more.
  [[nodiscard]] const char* next_group() noexcept {
    while (const dirent* entry = ::readdir(stream_)) {
      const bool is_dots = std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0;
      if (entry->d_type == DT_DIR && !is_dots) return entry->d_name;
    }
    return nullptr;
  }

 private:
  DIR* stream_ = nullptr;
};

Population population_in(const char* events) noexcept {
  const char* line = std::strstr(events, "populated ");
  if (line == nullptr) return Population::unknown;
  return line[std::strlen("populated ")] == '0' ? Population::empty : Population::populated;
}

}  // namespace

Result<Cgroup> Cgroup::open(const char* path) {
  UniqueFd fd(::open(path, directory_flags));
  if (!fd) return std::unexpected(system_error(path, Stage::cgroup));
  NR_TRY(moved, moved_above_stdio(std::move(fd)));
  return Cgroup(std::move(moved));
}

Result<Cgroup> Cgroup::open_child(const char* name) const {
  UniqueFd child(::openat(fd(), name, directory_flags));
  if (!child) return std::unexpected(system_error(name, Stage::cgroup));
  NR_TRY(moved, moved_above_stdio(std::move(child)));
  return Cgroup(std::move(moved));
}

Result<Cgroup> Cgroup::make_child(const char* name) const {
  if (::mkdirat(fd(), name, 0755) != 0 && errno != EEXIST) return std::unexpected(system_error(name, Stage::cgroup));
  return open_child(name);
}

int Cgroup::write(const char* file, const char* value) const noexcept {
  const UniqueFd target(::openat(fd(), file, O_WRONLY | O_CLOEXEC));
  if (!target) return errno;
  const std::size_t bytes = std::strlen(value);
  return ::write(target.get(), value, bytes) == static_cast<ssize_t>(bytes) ? 0 : errno;
}

int Cgroup::kill() const noexcept { return write("cgroup.kill", "1"); }
int Cgroup::freeze(bool frozen) const noexcept { return write("cgroup.freeze", frozen ? "1" : "0"); }

bool Cgroup::read(const char* file, std::span<char> text) const noexcept {
  const UniqueFd source(::openat(fd(), file, O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = source ? ::read(source.get(), text.data(), text.size() - 1) : -1;
  text[bytes < 0 ? 0 : static_cast<std::size_t>(bytes)] = '\0';
  return bytes >= 0;
}

bool Cgroup::has(const char* file) const noexcept { return ::faccessat(fd(), file, F_OK, 0) == 0; }

GroupEvents Cgroup::events(const char* file) const noexcept {
  char text[256];
  const bool gone = !read(file, text) && (errno == ENOENT || errno == ENODEV);  // Removed by somebody.
  if (gone) return {.population = Population::empty};
  return {.population = population_in(text), .frozen = std::strstr(text, "frozen 1") != nullptr};
}

bool Cgroup::for_each_process(void* context, void (*found)(void* context, pid_t pid)) const noexcept {
  return visit_processes(context, found, 0);
}

bool Cgroup::visit_processes(void* context, void (*found)(void*, pid_t), std::uint32_t depth) const noexcept {
  const UniqueFd file(::openat(fd(), "cgroup.procs", O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  char text[4096];
  pid_t pid = 0;
  ssize_t bytes = 0;
  while ((bytes = ::read(file.get(), text, sizeof text)) > 0) {
    for (ssize_t i = 0; i < bytes; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else if (pid != 0) {
        found(context, pid);
        pid = 0;
      }
    }
  }
  if (depth == depth_max) return false;
  Directory below(fd(), ".");
  if (!below.there()) return false;
  bool all = bytes == 0;
  while (const char* name = below.next_group()) {
    const Cgroup child(UniqueFd(::openat(fd(), name, directory_flags)));
    all = child && child.visit_processes(context, found, depth + 1) && all;
  }
  return all;
}

int Cgroup::remove_child(const char* name) const noexcept { return remove_below(fd(), name, 0); }

int remove_child_of(const Result<Cgroup>& parent, const char* name) noexcept {
  if (parent) return parent->remove_child(name);
  return parent.error().sys_errno == ENOENT ? 0 : parent.error().sys_errno;
}

int Cgroup::remove_below(int parent, const char* name, std::uint32_t depth) noexcept {
  if (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  const int failure = errno;
  if ((failure != EBUSY && failure != ENOTEMPTY) || depth == depth_max) return failure;
  Directory directory(parent, name);
  if (!directory.there()) return failure;
  while (const char* below = directory.next_group()) (void)remove_below(directory.fd(), below, depth + 1);
  return ::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
}

}  // namespace netrunner::os
