#include "tools/netrunner/stress_proc.hpp"

#include <algorithm>
#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace netrunner::tool {
namespace {

namespace fs = std::filesystem;

/// Names in a folder; what vanishes meanwhile is left out.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

std::optional<pid_t> number_of(std::string_view text) {
  pid_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string proc_path(pid_t pid, std::string_view name) {
  return "/proc/" + std::to_string(pid) + "/" + std::string(name);
}

/// Not by a stream: those throw when a process ends while its file is read.
std::string whole_file(const std::string& path) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  std::array<char, 4096> buffer{};
  for (ssize_t got = 0; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(fd);
  return text;
}

void collect_folders(const std::string& folder, std::string_view prefix, std::vector<std::string>& found) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored)) continue;
    if (entry->path().filename().string().starts_with(prefix)) found.push_back(entry->path().string());
    collect_folders(entry->path().string(), prefix, found);
  }
}

}  // namespace

std::vector<pid_t> all_pids() {
  std::vector<pid_t> pids;
  for (const std::string& name : names_in("/proc")) {
    if (const auto pid = number_of(name)) pids.push_back(*pid);
  }
  return pids;
}

std::optional<ProcEntry> proc_entry(pid_t pid) {
  const std::string stat = proc_text(pid, "stat");
  const std::size_t open = stat.find('('), close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  ProcEntry entry;
  entry.pid = pid;
  entry.name = stat.substr(open + 1, close - open - 1);
  std::istringstream rest(stat.substr(close + 1));
  rest >> entry.state >> entry.parent;
  return entry;
}

bool is_being_killed(pid_t pid) {
  constexpr std::uint64_t sigkill = std::uint64_t{1} << (SIGKILL - 1);
  constexpr std::uint64_t exiting = 0x4;  // PF_EXITING, in the flags of proc(5)'s stat.
  std::istringstream status(proc_text(pid, "status"));
  for (std::string key; status >> key;) {
    const bool names_pending = key == "SigPnd:" || key == "ShdPnd:";
    std::uint64_t pending = 0;
    if (names_pending && status >> std::hex >> pending && (pending & sigkill) != 0) return true;
  }
  const std::string stat = proc_text(pid, "stat");
  std::istringstream rest(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string word;
  for (int field = 3; field < 9 && rest >> word; ++field) {
  }
  std::uint64_t flags = 0;
  return !(rest >> flags) || (flags & exiting) != 0;
}

std::string proc_text(pid_t pid, std::string_view name) { return whole_file(proc_path(pid, name)); }

std::string text_of_file(const std::string& path) {
  std::string text = whole_file(path);
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool has_environment(pid_t pid, std::string_view assignment) {
  const std::string all = std::string(1, '\0') + proc_text(pid, "environ");
  return all.find(std::string(1, '\0') + std::string(assignment) + std::string(1, '\0')) != std::string::npos;
}

bool holds_file(pid_t pid, dev_t device, ino_t inode) {
  const std::string folder = proc_path(pid, "fd");
  for (const std::string& name : names_in(folder)) {
    struct stat file {};
    // Follows the magic link, so that another mount namespace makes no difference.
    if (::stat((folder + "/" + name).c_str(), &file) == 0 && file.st_dev == device && file.st_ino == inode) return true;
  }
  return false;
}

std::size_t own_descriptor_count() { return names_in("/proc/self/fd").size(); }
std::size_t own_thread_count() { return names_in("/proc/self/task").size(); }

std::vector<pid_t> pids_by_pidfd(pid_t holder) {
  std::vector<pid_t> pids;
  const std::string folder = proc_path(holder, "fdinfo");
  for (const std::string& name : names_in(folder)) {
    std::istringstream info(whole_file(folder + "/" + name));
    for (std::string key; info >> key;) {
      pid_t pid = 0;
      if (key == "Pid:" && info >> pid && pid > 0) pids.push_back(pid);
    }
  }
  return pids;
}

std::string own_program() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed).string();
}

std::string cgroup_mount() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string device, point, kind, rest; mounts >> device >> point >> kind && std::getline(mounts, rest);) {
    if (kind == "cgroup2") return point;
  }
  return {};
}

std::string own_cgroup() {
  const std::string mount = cgroup_mount();
  if (mount.empty()) return {};
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.starts_with("0::")) return line == "0::/" ? mount : mount + line.substr(3);
  }
  return {};
}

namespace {

/// One of the words in "rw,nosuid,pids".
bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t comma = std::min(words.find(',', at), words.size());
    if (words.substr(at, comma - at) == word) return true;
    at = comma + 1;
  }
  return false;
}

}  // namespace

std::string own_cgroup_v1(std::string_view controller) {
  std::ifstream mounts("/proc/self/mounts"), groups("/proc/self/cgroup");
  std::string device, point, kind, options, rest, mount;
  while (mounts >> device >> point >> kind >> options && std::getline(mounts, rest)) {
    if (kind == "cgroup" && has_word(options, controller)) mount = point;
  }
  for (std::string line; !mount.empty() && std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos || !has_word(line.substr(first + 1, second - first - 1), controller)) continue;
    const std::string path = mount + line.substr(second + 1);
    // The hierarchy may be mounted from our own group on.
    return ::access(path.c_str(), F_OK) == 0 ? path : mount;
  }
  return {};
}

std::vector<std::string> folders_with_prefix(const std::string& folder, std::string_view prefix) {
  std::vector<std::string> found;
  if (!folder.empty()) collect_folders(folder, prefix, found);
  return found;
}

}  // namespace netrunner::tool
