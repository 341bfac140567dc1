#pragma once
/// Who has the write end of a pipe, a socket or a terminal open, by /proc/<pid>/fd. For the host: it uses the heap.

#include <dirent.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace netrunner::os {

/// One search for the writers of pipes, sockets or terminals, many at once (of terminals: those who opened them by
/// their names, not as /dev/tty). Processes whose descriptors may not be looked at (another user's) are passed over; so
/// is a descriptor that is on its way through a socket. Bounded in processes and descriptors; done in slices of
/// processor time, each process looked at once.
class PipeHolders {
 public:
  struct Bounds {
    std::size_t found_max = 8;  ///< Of each pipe.
    std::size_t processes_max = 16 * 1024;
    std::size_t descriptors_max = 256 * 1024;
  };
  struct Found {
    std::size_t pipe;  ///< Index among those that were asked for.
    pid_t pid;
    std::string name;  ///< comm, see proc(5).
  };
  /// `keys`: of a pipe its inode, as fstat(2) gives it; of a socket the socket_key of the end that is looked for; of a
  /// terminal its pty_key.
  PipeHolders(const std::vector<std::uint64_t>& keys, Bounds bounds);

  /// To be looked at first: all below `ancestor`, but for its children in `but` (sorted) and what is below them.
  void begin_below(pid_t ancestor, const std::vector<pid_t>& but);
  /// Looks at some more processes, for so much time of this thread's processor. True: it is over: all were looked at,
  /// or each pipe has a holder, or a bound is reached.
  [[nodiscard]] bool search_on(std::int64_t processor_ns);
  /// What begin_below() said was looked at, as a whole.
  [[nodiscard]] bool below_is_over() const noexcept { return next_below_ == below_.size(); }
  [[nodiscard]] const std::vector<Found>& found() const noexcept { return found_; }

 private:
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  using Directory = std::unique_ptr<DIR, Close>;
  void look_at(pid_t pid);
  void look_at_next_below();
  [[nodiscard]] bool look_at_next_of_all();
  [[nodiscard]] bool over() const noexcept;

  std::unordered_map<std::uint64_t, std::size_t> keys_;
  std::vector<std::size_t> counts_;  ///< Holders found, by pipe.
  std::size_t without_holder_;
  Bounds bounds_;
  std::size_t descriptors_ = 0;
  std::vector<pid_t> below_;
  std::size_t next_below_ = 0;
  std::unordered_set<pid_t> seen_;
  std::vector<Found> found_;
  Directory processes_;  ///< Of a search through all of them: where it stands.
};

}  // namespace netrunner::os
