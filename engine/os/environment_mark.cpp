#include "engine/os/environment_mark.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/os/pidfd.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::os {
namespace {

constexpr char name[] = "NETRUNNER_COMMAND=";
constexpr std::size_t name_bytes = sizeof name - 1;

}  // namespace

void write_mark(const EnvironmentMark& mark, char (&text)[mark_bytes_max]) noexcept {
  std::snprintf(text, sizeof text, "%s%016lx.%x.%x", name, mark.shepherd, mark.slot, mark.generation);
}

bool mark_of(pid_t pid, EnvironmentMark& mark) noexcept {
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/%d/environ", pid);
  const UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  if (!fd) return false;
  // It is read in pieces; what may be the start of a mark at the end of one is kept for the next.
  std::array<char, 4096 + mark_bytes_max> text;
  std::size_t kept = 0;
  for (;;) {
    const ssize_t bytes = ::read(fd.get(), text.data() + kept, 4096);
    const std::size_t have = kept + static_cast<std::size_t>(bytes > 0 ? bytes : 0);
    const auto* found = static_cast<const char*>(::memmem(text.data(), have, name, name_bytes));
    const std::size_t left = found == nullptr ? 0 : have - static_cast<std::size_t>(found - text.data());
    const void* end = left == 0 ? nullptr : std::memchr(found, 0, left);
    if (end != nullptr) {
      return std::sscanf(found + name_bytes, "%lx.%x.%x", &mark.shepherd, &mark.slot, &mark.generation) == 3;
    }
    if (bytes <= 0) return false;
    kept = have < mark_bytes_max ? have : mark_bytes_max;
    std::memmove(text.data(), text.data() + have - kept, kept);
  }
}

bool has_environment(pid_t pid) noexcept {
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/%d/environ", pid);
  const UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  return fd && ::read(fd.get(), &byte, 1) == 1;
}

std::uint32_t signal_marked(std::uint64_t shepherd, int signal) noexcept {
  DIR* processes = ::opendir("/proc");
  if (processes == nullptr) return 0;
  std::uint32_t found = 0;
  while (const dirent* entry = ::readdir(processes)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 1) continue;
    const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    EnvironmentMark mark;
    if (!pidfd || !mark_of(pid, mark) || mark.shepherd != shepherd) continue;
    ++found;
    if (signal != 0) (void)signal_pidfd(pidfd.get(), signal);
  }
  ::closedir(processes);
  return found;
}

}  // namespace netrunner::os
