#include "engine/containment/instance_name.hpp"

#include <cerrno>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "engine/os/process_status.hpp"
#include "engine/os/want_of_room.hpp"

namespace netrunner::containment {
namespace {

constexpr std::string_view prefix = "netrunner-";

/// No exception comes of a read that fails here, as it may from an iterator over the stream's buffer.
Result<std::string> first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::unexpected(system_error(path, Stage::cgroup));
  return line;
}

template <class Number>
bool take_number(std::string_view& text, Number& value) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_dash(std::string_view& text) {
  if (!text.starts_with('-')) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string InstanceName::text() const {
  return std::string(prefix) + boot_id + "-" + std::to_string(pid_namespace) + "-" + std::to_string(pid) + "-" +
         std::to_string(start_time);
}

Result<InstanceName> InstanceName::parse(const std::string& text) {
  std::string_view rest = text;
  InstanceName name;
  const std::size_t dash = rest.starts_with(prefix) ? rest.find('-', prefix.size()) : std::string_view::npos;
  if (dash != std::string_view::npos) {
    name.boot_id = rest.substr(prefix.size(), dash - prefix.size());
    rest.remove_prefix(dash + 1);
    if (take_number(rest, name.pid_namespace) && take_dash(rest) && take_number(rest, name.pid) && take_dash(rest) &&
        take_number(rest, name.start_time) && rest.empty()) {
      return name;
    }
  }
  return std::unexpected(Error{ErrorCode::invalid_argument, Stage::cgroup, 0, text, "no name of an instance's group"});
}

Result<InstanceName> InstanceName::own() {
  InstanceName name;
  NR_TRY(boot_id, first_line("/proc/sys/kernel/random/boot_id"));
  for (const char c : boot_id) {
    if (c != '-') name.boot_id += c;
  }
  struct stat space{};
  constexpr const char* own_space = "/proc/self/ns/pid";
  if (::stat(own_space, &space) != 0) return std::unexpected(system_error(own_space, Stage::cgroup));
  name.pid_namespace = space.st_ino;
  name.pid = ::getpid();
  name.start_time = os::status_of(name.pid).start_time;
  if (name.start_time == 0) return std::unexpected(system_error("/proc/self/stat", Stage::cgroup));
  return name;
}

bool InstanceName::owner_lives(const InstanceName& us) const {
  if (boot_id != us.boot_id) return false;
  if (pid_namespace != us.pid_namespace) return true;
  errno = 0;
  const os::ProcessStatus owner = os::status_of(pid);
  if (owner.state == 0 && os::is_want_of_room(errno)) return true;  // For all we know.
  // Dead, and not reaped yet: nobody who owns anything.
  return !os::is_dead(owner.state) && owner.start_time == start_time;
}

}  // namespace netrunner::containment
