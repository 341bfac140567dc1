#include "shepherd/mark.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "engine/os/unique_fd.hpp"
#include "shepherd/clock.hpp"

namespace netrunner::shepherd {
namespace {

constexpr char name[] = "NETRUNNER_COMMAND=";
constexpr std::size_t name_bytes = sizeof name - 1;

}  // namespace

std::uint64_t own_mark() noexcept {
  static const std::uint64_t mark =
      (static_cast<std::uint64_t>(::getpid()) << 40) ^ static_cast<std::uint64_t>(now_ns());
  return mark;
}

void write_mark(const Mark& mark, char (&text)[mark_bytes_max]) noexcept {
  std::snprintf(text, sizeof text, "%s%016lx.%x.%x", name, mark.shepherd, mark.id.slot, mark.id.generation);
}

bool mark_of(pid_t pid, Mark& mark) noexcept {
  std::array<char, 64> path;
  std::snprintf(path.data(), path.size(), "/proc/%d/environ", pid);
  const os::UniqueFd fd(::open(path.data(), O_RDONLY | O_CLOEXEC));
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
      return std::sscanf(found + name_bytes, "%lx.%x.%x", &mark.shepherd, &mark.id.slot, &mark.id.generation) == 3;
    }
    if (bytes <= 0) return false;
    kept = have < mark_bytes_max ? have : mark_bytes_max;
    std::memmove(text.data(), text.data() + have - kept, kept);
  }
}

}  // namespace netrunner::shepherd
