#pragma once
/// A process that is known for good: a number alone is soon somebody else's.

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <unistd.h>
#include <utility>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time = 0;  ///< Field 22 of /proc/PID/stat: clock ticks since boot.
  std::string boot_id;           ///< /proc/sys/kernel/random/boot_id.
};

[[nodiscard]] ProcessIdentity own_identity();

/// Owner of a pidfd (pidfd_open(2), Linux 5.3): a process that is surely the one that was meant.
class KnownProcess {
 public:
  /// Error: one line that says "gone" and why.
  [[nodiscard]] static Checked<KnownProcess> find(const ProcessIdentity& identity);
  KnownProcess(KnownProcess&& other) noexcept : pidfd_(std::exchange(other.pidfd_, -1)) {}
  KnownProcess& operator=(KnownProcess&&) = delete;
  ~KnownProcess() {
    if (pidfd_ >= 0) (void)::close(pidfd_);
  }
  /// 0, or the errno.
  [[nodiscard]] int signal(int number) const noexcept;
  /// False: it still runs after so long.
  [[nodiscard]] bool wait(Nanoseconds longest) const noexcept;

 private:
  explicit KnownProcess(int pidfd) noexcept : pidfd_(pidfd) {}
  int pidfd_;
};

}  // namespace netrunner::tool
