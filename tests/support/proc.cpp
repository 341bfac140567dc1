#include "tests/support/proc.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <sstream>
#include <unistd.h>

namespace tests {

namespace {

std::vector<std::string> names_in(const std::string& folder, std::string* own_link) {
  std::vector<std::string> names;
  DIR* opened = opendir(folder.c_str());
  if (opened == nullptr) return names;
  if (own_link != nullptr) *own_link = std::to_string(dirfd(opened));
  while (const dirent* entry = readdir(opened)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  }
  closedir(opened);
  return names;
}

std::vector<pid_t> all_pids() {
  std::vector<pid_t> pids;
  for (const std::string& name : names_in("/proc", nullptr)) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

}  // namespace

std::string proc_file(pid_t pid, std::string_view name) {
  const std::string path = "/proc/" + std::to_string(pid) + "/" + std::string(name);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  close(fd);
  return text;
}

std::optional<ProcessEntry> process(pid_t pid) {
  const std::string stat = proc_file(pid, "stat");
  const std::size_t open = stat.find('('), close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  ProcessEntry entry;
  entry.pid = pid;
  entry.name = stat.substr(open + 1, close - open - 1);
  std::istringstream rest(stat.substr(close + 1));
  rest >> entry.state >> entry.parent >> entry.group >> entry.session;
  std::string skipped;
  for (int field = 7; field < 20; ++field) rest >> skipped;
  rest >> entry.threads >> skipped >> entry.start_time;
  return entry;
}

std::vector<ProcessEntry> processes() {
  std::vector<ProcessEntry> entries;
  for (const pid_t pid : all_pids()) {
    if (auto entry = process(pid)) entries.push_back(*std::move(entry));
  }
  return entries;
}

char process_state(pid_t pid) {
  const auto entry = process(pid);
  return entry ? entry->state : '-';
}

bool is_running(pid_t pid) {
  const char state = process_state(pid);
  return state != '-' && state != 'Z' && state != 'X';
}

std::vector<ProcessEntry> children_of(pid_t parent) {
  std::vector<ProcessEntry> entries = processes();
  std::erase_if(entries, [parent](const ProcessEntry& entry) { return entry.parent != parent; });
  return entries;
}

std::vector<ProcessEntry> zombies_of(pid_t parent) {
  std::vector<ProcessEntry> entries = children_of(parent);
  std::erase_if(entries, [](const ProcessEntry& entry) { return entry.state != 'Z'; });
  return entries;
}

std::vector<ProcessEntry> processes_with_environment(std::string_view name_and_value) {
  std::vector<ProcessEntry> entries;
  const std::string wanted = std::string(1, '\0') + std::string(name_and_value) + std::string(1, '\0');
  for (const pid_t pid : all_pids()) {
    if ((std::string(1, '\0') + proc_file(pid, "environ")).find(wanted) == std::string::npos) continue;
    if (auto entry = process(pid)) entries.push_back(*std::move(entry));
  }
  return entries;
}

std::vector<ProcessEntry> processes_with_arguments(std::string_view part) {
  std::vector<ProcessEntry> entries;
  for (const pid_t pid : all_pids()) {
    std::string line = proc_file(pid, "cmdline");
    std::replace(line.begin(), line.end(), '\0', ' ');
    if (line.find(part) == std::string::npos) continue;
    if (auto entry = process(pid)) entries.push_back(*std::move(entry));
  }
  return entries;
}

std::string to_string(const std::vector<ProcessEntry>& entries) {
  std::ostringstream text;
  for (const ProcessEntry& entry : entries) {
    text << entry.pid << ' ' << entry.name << " (state " << entry.state << ", parent " << entry.parent << ", group "
         << entry.group << ", session " << entry.session << ")\n";
  }
  return text.str();
}

std::vector<std::string> descriptors(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  std::string own_link;
  std::vector<std::string> links;
  for (const std::string& name : names_in(folder, &own_link)) {
    if (pid == getpid() && name == own_link) continue;
    char target[512];
    const ssize_t length = readlink((folder + "/" + name).c_str(), target, sizeof target);
    if (length >= 0) links.push_back(name + " -> " + std::string(target, static_cast<std::size_t>(length)));
  }
  std::sort(links.begin(), links.end());
  return links;
}

std::vector<std::string> own_descriptors() { return descriptors(getpid()); }

std::size_t own_threads() { return names_in("/proc/self/task", nullptr).size(); }

std::size_t resident_kib(pid_t pid) {
  const std::string status = proc_file(pid, "status");
  const std::size_t at = status.find("VmRSS:");
  if (at == std::string::npos) return 0;
  return std::strtoull(status.c_str() + at + 6, nullptr, 10);
}

}  // namespace tests
