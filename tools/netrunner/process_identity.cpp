#include "tools/netrunner/process_identity.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/syscall.h>

namespace netrunner::tool {
namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();  // Throws nothing where the read fails, as one of /proc may.
  return text.str();
}

std::string boot_id() {
  std::string text = file_text("/proc/sys/kernel/random/boot_id");
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// proc(5): 22 fields from the start, 20 behind the name, which may hold anything. 0: there is no such process.
std::uint64_t start_time_of(pid_t pid) {
  const std::string stat = file_text("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int number = 3; number < 22 && fields >> field; ++number) {
  }
  std::uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

std::unexpected<std::string> gone(const ProcessIdentity& identity, const std::string& why) {
  return std::unexpected("process " + std::to_string(identity.pid) + " is gone (" + why + "); nothing was signalled.");
}

}  // namespace

ProcessIdentity own_identity() { return {::getpid(), start_time_of(::getpid()), boot_id()}; }

Checked<KnownProcess> KnownProcess::find(const ProcessIdentity& identity) {
  if (identity.boot_id != boot_id()) return gone(identity, "the machine has been started anew since");
  if (identity.pid <= 0) return gone(identity, "that is no process");
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, identity.pid, 0));
  if (pidfd < 0) return gone(identity, std::strerror(errno));
  KnownProcess process(pidfd);
  // Behind the pidfd: whatever has the number now is what the pidfd holds, or has come after its end.
  if (start_time_of(identity.pid) != identity.start_time) return gone(identity, "its number is another's now");
  return process;
}

int KnownProcess::signal(int number) const noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd_, number, nullptr, 0) == 0 ? 0 : errno;
}

bool KnownProcess::wait(Nanoseconds longest) const noexcept {
  const Deadline deadline = Deadline::after(longest);
  for (;;) {
    pollfd ended{.fd = pidfd_, .events = POLLIN, .revents = 0};
    const std::int64_t left_ns = deadline.monotonic_ns() - Deadline::now_ns();
    constexpr std::int64_t poll_max_ms = 1'000'000;
    const std::int64_t left_ms = std::clamp<std::int64_t>(left_ns / 1'000'000 + 1, 0, poll_max_ms);
    if (::poll(&ended, 1, static_cast<int>(left_ms)) == 1) return true;
    if (Deadline::now_ns() >= deadline.monotonic_ns()) return false;
  }
}

}  // namespace netrunner::tool
