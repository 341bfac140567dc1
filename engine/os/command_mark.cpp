#include "engine/os/command_mark.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {
namespace {

constexpr char name[] = "NETRUNNER_COMMAND=";
constexpr std::size_t name_bytes = sizeof name - 1;
constexpr std::uint64_t limit_tag = shepherd_mark_max + 1;

}  // namespace

void write_mark(const CommandMark& mark, char (&text)[mark_bytes_max]) noexcept {
  std::snprintf(text, sizeof text, "%s%016lx.%x.%x", name, mark.shepherd, mark.slot, mark.generation);
}

LimitMark as_limit(const CommandMark& mark) noexcept {
  return {std::uint64_t{mark.slot} << 32 | mark.generation, limit_tag | mark.shepherd};
}

bool limit_is_free() noexcept {
  rlimit limit{};
  return ::getrlimit(RLIMIT_LOCKS, &limit) == 0 && limit.rlim_max == RLIM_INFINITY;
}

bool limit_mark_of(pid_t pid, CommandMark& mark) noexcept {
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_LOCKS, nullptr, &limit) != 0) return false;
  const std::uint64_t hard = limit.rlim_max, soft = limit.rlim_cur;
  if (hard >> 62 != 1) return false;  // Infinity has bit 63 too.
  mark = {hard & shepherd_mark_max, static_cast<std::uint32_t>(soft >> 32), static_cast<std::uint32_t>(soft)};
  return true;
}

bool environment_mark_of(pid_t pid, CommandMark& mark) noexcept {
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

}  // namespace netrunner::os
