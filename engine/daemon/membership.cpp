#include "engine/daemon/membership.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/daemon/descriptor.hpp"
#include "engine/daemon/limits.hpp"

namespace netrunner::daemon {
namespace {

/// A file of proc(5); empty where the process has gone or may not be looked at.
std::string proc_file(pid_t pid, std::string_view name) {
  constexpr std::size_t bytes_max = 256 * KiB;  // An environment may be large; ours is looked for in what fits.
  const std::string path = "/proc/" + std::to_string(pid) + "/" + std::string(name);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 4096> piece{};
  while (file && text.size() < bytes_max) {
    const ssize_t bytes = ::read(file.get(), piece.data(), piece.size());
    if (bytes <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(bytes));
  }
  return text;
}

/// The path in the v2 hierarchy, see cgroups(7).
std::string cgroup_of(pid_t pid) {
  const std::string text = proc_file(pid, "cgroup");
  const std::size_t at = text.starts_with("0::") ? 0 : text.find("\n0::");
  if (at == std::string::npos) return {};
  const std::size_t from = text.find("::", at) + 2;
  return text.substr(from, text.find('\n', from) - from);
}

/// proc(5), stat: the parent stands two fields behind the name, which may hold anything.
pid_t parent_of(pid_t pid) {
  const std::string stat = proc_file(pid, "stat");
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || stat.size() < name_end + 5) return 0;
  pid_t parent = 0;
  const char* from = stat.data() + name_end + 4;
  (void)std::from_chars(from, stat.data() + stat.size(), parent);
  return parent;
}

std::optional<uid_t> user_of(pid_t pid) {
  struct stat status {};
  if (::stat(("/proc/" + std::to_string(pid)).c_str(), &status) != 0) return std::nullopt;
  return status.st_uid;
}

}  // namespace

Membership::Membership(pid_t leader, Containment containment, std::string variable)
    : leader_(leader), leader_uid_(user_of(leader).value_or(::geteuid())), variable_(std::move(variable)) {
  if (containment == Containment::cgroup) group_ = cgroup_of(leader);
}

bool Membership::has(const Sender& sender) const {
  if (sender.pid <= 0 || leader_ <= 0) return false;
  if (sender.pid == leader_) return true;
  if (!group_.empty()) return cgroup_of(sender.pid) == group_;
  if (descends_from_leader(sender.pid)) return true;
  return (sender.uid == leader_uid_ || sender.uid == 0) && has_variable(sender.pid);
}

bool Membership::descends_from_leader(pid_t pid) const {
  for (int step = 0; step < ancestors_max && pid > 1; ++step) {
    pid = parent_of(pid);
    if (pid == leader_) return true;
  }
  return false;
}

bool Membership::has_variable(pid_t pid) const {
  const std::string nul(1, '\0');
  return (nul + proc_file(pid, "environ")).find(nul + variable_ + nul) != std::string::npos;
}

}  // namespace netrunner::daemon
