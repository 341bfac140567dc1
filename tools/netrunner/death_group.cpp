#include "tools/netrunner/death_group.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tools/netrunner/stress_proc.hpp"

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

constexpr int removal_tries = 300;

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  return file.good();
}

/// Bottom-up: a deeper path is a longer one.
bool remove_tree(const std::string& path) {
  std::vector<std::string> folders = folders_with_prefix(path, "");
  std::ranges::sort(folders, std::ranges::greater{}, &std::string::size);
  for (const std::string& folder : folders) (void)::rmdir(folder.c_str());
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT;
}

}  // namespace

DeathGroup::DeathGroup(const std::string& name) {
  const std::string own = own_cgroup();
  const std::string path = own + "/nr-deaths-" + name;
  if (own.empty() || ::mkdir(path.c_str(), 0755) != 0) return;
  path_ = path;
  // A process can be put there only with write permission on both sides.
  if (::access((own + "/cgroup.procs").c_str(), W_OK) == 0) return;
  (void)::rmdir(path.c_str());
  path_.clear();
}

DeathGroup::~DeathGroup() {
  for (int i = 0; !path_.empty() && i < removal_tries; ++i) {
    (void)write_file(path_ + "/cgroup.kill", "1");
    if (remove_tree(path_)) return;
    std::this_thread::sleep_for(10ms);
  }
}

MemoryGroup::MemoryGroup(const std::string& name) {
  const std::string v1 = own_cgroup_v1("memory");
  if (!v1.empty() && make(v1, name, "/memory.limit_in_bytes")) return;
  const std::string v2 = own_cgroup();
  if (text_of_file(v2 + "/cgroup.subtree_control").find("memory") != std::string::npos) {
    (void)make(v2, name, "/memory.max");
  }
}

bool MemoryGroup::make(const std::string& parent, const std::string& name, const char* limit_file) {
  const std::string path = parent + "/nr-deaths-memory-" + name;
  if (::mkdir(path.c_str(), 0755) != 0) return false;
  path_ = path;
  if (write_file(path + limit_file, "33554432")) return true;
  (void)::rmdir(path.c_str());
  path_.clear();
  return false;
}

MemoryGroup::~MemoryGroup() {
  for (int i = 0; !path_.empty() && i < removal_tries; ++i) {
    if (::rmdir(path_.c_str()) == 0) return;
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace netrunner::tool
