#pragma once
/// What the kernel says about processes: proc(5).

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace netrunner::tool {

struct ProcEntry {
  pid_t pid = 0, parent = 0;
  char state = '?';   ///< R S D T Z X ...
  std::string name;   ///< comm.
};

[[nodiscard]] std::vector<pid_t> all_pids();
/// Empty where there is no such process. A zombie is one still.
[[nodiscard]] std::optional<ProcEntry> proc_entry(pid_t pid);
/// SIGKILL was sent to it, or it is on its way out already.
[[nodiscard]] bool is_being_killed(pid_t pid);
/// A file of /proc/<pid> as text; empty where it can't be read.
[[nodiscard]] std::string proc_text(pid_t pid, std::string_view name);
/// Any file, without its last newline; empty where it can't be read.
[[nodiscard]] std::string text_of_file(const std::string& path);
/// NAME=value is in the environment that it was started with.
[[nodiscard]] bool has_environment(pid_t pid, std::string_view assignment);
/// One of its descriptors leads to this file.
[[nodiscard]] bool holds_file(pid_t pid, dev_t device, ino_t inode);
[[nodiscard]] std::size_t own_descriptor_count();
[[nodiscard]] std::size_t own_thread_count();
/// The processes that `holder` has pidfds of: a host's shepherds are among them, whoever their parent is.
[[nodiscard]] std::vector<pid_t> pids_by_pidfd(pid_t holder);
/// The path of this program, for a command that starts it again.
[[nodiscard]] std::string own_program();

/// Where the cgroup v2 hierarchy is mounted, and our own group below it; empty: there is none.
[[nodiscard]] std::string cgroup_mount();
[[nodiscard]] std::string own_cgroup();
/// The same of the v1 hierarchy that has this controller.
[[nodiscard]] std::string own_cgroup_v1(std::string_view controller);
/// Folders below `folder`, any depth, whose name starts with `prefix`.
[[nodiscard]] std::vector<std::string> folders_with_prefix(const std::string& folder, std::string_view prefix);

}  // namespace netrunner::tool
