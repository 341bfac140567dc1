#include "tools/netrunner/stress_roll.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace netrunner::tool {
namespace {

constexpr const char* mark_name = "NETRUNNER_STRESS_MARK";
constexpr pid_t init = 1;

}  // namespace

Checked<RollCall> RollCall::open(const std::string& id) {
  std::error_code ignored;
  std::string path = (std::filesystem::temp_directory_path(ignored) / ("netrunner-roll-" + id + "-XXXXXX")).string();
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return std::unexpected("a file in TMPDIR: " + std::string(std::strerror(errno)) + " (" + path + ")");
  // Commands may be other users'.
  (void)::fchmod(fd, 0666);
  return RollCall(id, path, fd);
}

RollCall::RollCall(std::string id, std::string path, int fd)
    : id_(std::move(id)), path_(std::move(path)), mark_(std::string(mark_name) + "=" + id_), fd_(fd) {
  struct stat file {};
  (void)::fstat(fd_, &file);
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

RollCall::RollCall(RollCall&& other) noexcept
    : id_(std::move(other.id_)),
      path_(std::move(other.path_)),
      mark_(std::move(other.mark_)),
      fd_(std::exchange(other.fd_, -1)),
      device_(other.device_),
      inode_(other.inode_) {}

RollCall::~RollCall() {
  if (fd_ < 0) return;
  (void)::close(fd_);
  dismiss();
}

void RollCall::dismiss() { (void)::unlink(path_.c_str()); }

Command RollCall::fault(const std::string& name, std::vector<std::string> arguments) const {
  return fault_command(path_, id_, name, std::move(arguments));
}

Command fault_command(const std::string& roll_path, const std::string& id, const std::string& name,
                      std::vector<std::string> arguments) {
  static const std::string program = own_program();
  return Command(program, "stress", "--fault", name, roll_path, id).args(std::move(arguments)).env(mark_name, id);
}

std::vector<ProcEntry> RollCall::survivors() const {
  std::vector<ProcEntry> alive;
  for (const pid_t pid : all_pids()) {
    if (pid == ::getpid()) continue;
    if (!has_environment(pid, mark_) && !holds_file(pid, device_, inode_)) continue;
    const auto entry = proc_entry(pid);
    // A child of ours is a host or a shepherd, and on its way to exec it has our descriptors.
    if (entry && entry->parent != ::getpid() && entry->state != 'Z' && entry->state != 'X') alive.push_back(*entry);
  }
  return alive;
}

std::vector<ProcEntry> RollCall::zombies() const {
  std::vector<ProcEntry> ours = dead();
  std::erase_if(ours, [](const ProcEntry& entry) { return entry.parent == init; });
  return ours;
}

std::size_t RollCall::zombies_of_init() const {
  return static_cast<std::size_t>(std::ranges::count(dead(), init, &ProcEntry::parent));
}

std::vector<ProcEntry> RollCall::dead() const {
  std::vector<ProcEntry> dead;
  for (const pid_t pid : all_pids()) {
    const auto entry = proc_entry(pid);
    if (entry && entry->state == 'Z' && entry->name.size() > 3 && entry->name.substr(3) == id_) dead.push_back(*entry);
  }
  return dead;
}

bool RollCall::anyone_holds() const {
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) return true;
  (void)::flock(fd_, LOCK_UN);
  return false;
}

std::string to_string(const std::vector<ProcEntry>& entries) {
  std::string text;
  for (const ProcEntry& entry : entries) {
    if (!text.empty()) text += ", ";
    text += std::to_string(entry.pid) + " " + entry.name + " (" + entry.state + ", parent " +
            std::to_string(entry.parent) + ")";
  }
  return text;
}

}  // namespace netrunner::tool
