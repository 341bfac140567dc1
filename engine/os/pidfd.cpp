#include "engine/os/pidfd.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

namespace netrunner::os {

Result<UniqueFd> open_pidfd(pid_t pid) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd >= 0) return UniqueFd(fd);
  const int failure = errno == EINVAL && pid > 0 ? ESRCH : errno;
  return std::unexpected(system_error("process " + std::to_string(pid), Stage::none, failure));
}

int signal_pidfd(int pidfd, int signal) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0 ? 0 : errno;
}

int signal_group_of(int pidfd, int signal) noexcept {
  constexpr unsigned int process_group = 1U << 2;
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, process_group) == 0 ? 0 : errno;
}

pid_t pid_of(int pidfd) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  char line[128];
  int pid = 0;
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::sscanf(line, "Pid: %d", &pid) == 1) break;
  }
  std::fclose(file);
  return pid > 0 ? pid : 0;
}

bool has_ended(int pidfd) noexcept {
  pollfd polled{pidfd, POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0;
}

}  // namespace netrunner::os
