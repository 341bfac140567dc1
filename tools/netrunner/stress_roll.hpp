#pragma once
/// Who of a test's processes lives, counted three ways that don't depend on one another: by a mark in the environment,
/// by a file that each of them holds open and locked (and hands on to whatever it forks), and by its name.

#include <string>
#include <vector>

#include <netrunner/command.hpp>

#include "tools/netrunner/options.hpp"
#include "tools/netrunner/stress_proc.hpp"

namespace netrunner::tool {

/// Owner of the file; removed with this object. Thread: any, it changes nothing after open().
class RollCall {
 public:
  /// `id`: unique in the system while this lives, ten letters at most: it is a part of each process's name.
  [[nodiscard]] static Checked<RollCall> open(const std::string& id);
  RollCall(RollCall&& other) noexcept;
  RollCall& operator=(RollCall&&) = delete;
  ~RollCall();

  /// `netrunner stress --fault NAME ...` with the mark in its environment.
  [[nodiscard]] Command fault(const std::string& name, std::vector<std::string> arguments = {}) const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const std::string& id() const noexcept { return id_; }

  [[nodiscard]] std::vector<ProcEntry> survivors() const;  ///< By mark or by file. No zombies.
  /// By name. Those of init are its to reap, at its own pace: they are none of ours.
  [[nodiscard]] std::vector<ProcEntry> zombies() const;
  [[nodiscard]] std::size_t zombies_of_init() const;
  /// Exact whatever they do: false when no process holds the file, not even one that forks while we look.
  [[nodiscard]] bool anyone_holds() const;

  /// No more calls: who looks for the file finds it gone, and a hopper ends.
  void dismiss();

  static constexpr std::string_view direct_prefix = "nrd", escapee_prefix = "nre";  ///< Of their names.

 private:
  RollCall(std::string id, std::string path, int fd);
  [[nodiscard]] std::vector<ProcEntry> dead() const;
  std::string id_, path_, mark_;
  int fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// The same for a process that only knows where the roll is kept.
[[nodiscard]] Command fault_command(const std::string& roll_path, const std::string& id, const std::string& name,
                                    std::vector<std::string> arguments);

[[nodiscard]] std::string to_string(const std::vector<ProcEntry>& entries);

}  // namespace netrunner::tool
