#include "engine/os/process_usage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/os/pidfd.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::os {
namespace {

struct Text {
  std::array<char, 4096> bytes{};
};

bool read_file(pid_t pid, const char* name, Text& text) {
  std::array<char, 64> path{};
  (void)std::snprintf(path.data(), path.size(), "/proc/%d/%s", pid, name);
  const UniqueFd file(::open(path.data(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  const ssize_t count = ::read(file.get(), text.bytes.data(), text.bytes.size() - 1);
  if (count <= 0) return false;
  text.bytes[static_cast<std::size_t>(count)] = '\0';
  return true;
}

}  // namespace

std::optional<ProcessUsage> usage_of(int pidfd, pid_t pid) {
  Text stat, status;
  if (pidfd < 0 || !read_file(pid, "stat", stat) || !read_file(pid, "status", status)) return std::nullopt;
  if (has_ended(pidfd)) return std::nullopt;
  // The name may hold spaces and ')': fields are counted from the last ')' on. utime is the 14th of all.
  const char* after_name = std::strrchr(stat.bytes.data(), ')');
  if (after_name == nullptr) return std::nullopt;
  unsigned long long user = 0, system = 0, children_user = 0, children_system = 0;
  const int read = std::sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
                               &user, &system, &children_user, &children_system);
  if (read != 4) return std::nullopt;
  const auto ticks_us = 1'000'000ULL / static_cast<unsigned long long>(::sysconf(_SC_CLK_TCK));
  ProcessUsage usage;
  usage.user_us = (user + children_user) * ticks_us;
  usage.system_us = (system + children_system) * ticks_us;
  const char* peak = std::strstr(status.bytes.data(), "VmHWM:");
  if (peak != nullptr) usage.max_rss_kib = std::strtoull(peak + 6, nullptr, 10);
  return usage;
}

}  // namespace netrunner::os
