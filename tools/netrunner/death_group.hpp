#pragma once
/// A cgroup v2 of its own for one cell, and a small memory cgroup for the host that is to die of it.

#include <string>

namespace netrunner::tool {

/// Owner of a folder; its processes are killed and it is removed, with all below it, by this object.
class DeathGroup {
 public:
  /// Below our own group; without a path where none can be made.
  explicit DeathGroup(const std::string& name);
  DeathGroup(const DeathGroup&) = delete;
  DeathGroup& operator=(const DeathGroup&) = delete;
  ~DeathGroup();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// Owner of a memory cgroup (v1, or v2 where the controller is handed down to us) with a limit of 32 MiB.
class MemoryGroup {
 public:
  explicit MemoryGroup(const std::string& name);
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  ~MemoryGroup();
  [[nodiscard]] const std::string& path() const noexcept { return path_; }  ///< Empty: it can't be had.

 private:
  [[nodiscard]] bool make(const std::string& parent, const std::string& name, const char* limit_file);
  std::string path_;
};

}  // namespace netrunner::tool
