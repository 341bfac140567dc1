#pragma once
/// Who has the write end of a pipe, a socket or a terminal open, by /proc/<pid>/fd. For the host: it uses the heap.

#include <dirent.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>
#include <unordered_set>
#include <vector>

namespace netrunner::os {

/// One search for the writers of some pipes, sockets or terminals (those that were opened by their names, not as
/// /dev/tty). Processes whose descriptors may not be looked at (another user's) are passed over; so is a descriptor
/// that is on its way through a socket. Bounded in processes and descriptors; it can be done in slices of processor
/// time.
class PipeHolders {
 public:
  struct Bounds {
    std::size_t found_max = 8;
    std::size_t processes_max = 16 * 1024;
    std::size_t descriptors_max = 64 * 1024;
  };
  struct Found {
    std::size_t pipe;  ///< Index among those that were asked for.
    pid_t pid;
    std::string name;  ///< comm, see proc(5).
  };
  /// `keys`: of a pipe its inode, as fstat(2) gives it; of a socket the socket_key of the end that is looked for; of a
  /// terminal its pty_key.
  PipeHolders(std::vector<std::uint64_t> keys, Bounds bounds);

  /// All below `ancestor`, but for its children in `but` (sorted) and what is below them.
  void search_below(pid_t ancestor, const std::vector<pid_t>& but);
  /// Some of all processes but those that were looked at, for so much time of this thread's processor. True: it is
  /// over.
  [[nodiscard]] bool search_on(std::int64_t processor_ns);
  /// Each pipe has a holder, or a bound is reached.
  [[nodiscard]] bool over() const noexcept;
  [[nodiscard]] const std::vector<Found>& found() const noexcept { return found_; }

 private:
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  using Directory = std::unique_ptr<DIR, Close>;
  void look_at(pid_t pid);
  [[nodiscard]] bool exhausted() const noexcept;

  std::vector<std::uint64_t> keys_;
  Bounds bounds_;
  std::size_t descriptors_ = 0;
  std::unordered_set<pid_t> seen_;
  std::vector<Found> found_;
  Directory processes_;  ///< Of a search through all of them: where it stands.
};

}  // namespace netrunner::os
