#pragma once
/// What the kernel says about processes and descriptors: proc(5).

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tests {

struct ProcessEntry {
  pid_t pid = 0, parent = 0, group = 0, session = 0;
  char state = '?';        ///< R S D T Z X ...
  int threads = 0;
  std::string name;        ///< comm.
  std::string start_time;  ///< In clock ticks since boot: with the pid, an identity.
  friend bool operator==(const ProcessEntry&, const ProcessEntry&) = default;
};

[[nodiscard]] std::optional<ProcessEntry> process(pid_t pid);
[[nodiscard]] std::vector<ProcessEntry> processes();
/// A zombie does not run.
[[nodiscard]] bool is_running(pid_t pid);
/// '-' where there is no such process.
[[nodiscard]] char process_state(pid_t pid);
[[nodiscard]] std::vector<ProcessEntry> children_of(pid_t parent);  ///< Zombies too.
[[nodiscard]] std::vector<ProcessEntry> zombies_of(pid_t parent);
/// All that have `NAME=value` in the environment they were started with. (A zombie has none.)
[[nodiscard]] std::vector<ProcessEntry> processes_with_environment(std::string_view name_and_value);
/// All whose command line, its parts joined by spaces, contains `part`.
[[nodiscard]] std::vector<ProcessEntry> processes_with_arguments(std::string_view part);
[[nodiscard]] std::string to_string(const std::vector<ProcessEntry>& entries);

/// "3 -> pipe:[4711]", sorted; without the one that reads the folder.
[[nodiscard]] std::vector<std::string> descriptors(pid_t pid);
[[nodiscard]] std::vector<std::string> own_descriptors();
[[nodiscard]] std::size_t own_threads();
/// VmRSS of a process in KiB; 0: gone.
[[nodiscard]] std::size_t resident_kib(pid_t pid);
/// A file of /proc as text; empty where it can't be read.
[[nodiscard]] std::string proc_file(pid_t pid, std::string_view name);

}  // namespace tests
