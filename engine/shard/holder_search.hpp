#pragma once

#include <cstdint>
#include <sys/types.h>
#include <vector>

#include <netrunner/exit_status.hpp>

#include "engine/os/pipe_holders.hpp"

namespace netrunner::shard {

/// An output that others may still write to.
struct OpenPipe {
  Stream stream = Stream::out;
  std::uint64_t key = 0;  ///< As os::PipeHolders knows it.
};

/// Names who holds the pipes of a command whose leader has ended. What lives of it hangs below the shepherd, beside the
/// leaders of the others: that is looked at at once. Whoever else got a descriptor is looked for in all of /proc, a
/// slice in each turn, so that no other command waits for it. Owner: one command's Child, while it searches. Thread:
/// its shard's.
class HolderSearch {
 public:
  struct Scene {
    pid_t shepherd = 0;
    std::vector<pid_t> leaders;  ///< Of running commands, in any order.
  };
  HolderSearch(std::vector<OpenPipe> pipes, Scene scene, std::int64_t now_ns);

  [[nodiscard]] bool over() const noexcept { return search_.over(); }
  /// A slice of the search among all processes. True: it is over, or has lasted long enough.
  [[nodiscard]] bool search_on(std::int64_t now_ns);
  [[nodiscard]] std::vector<PipeHolder> found() const;

 private:
  std::vector<OpenPipe> pipes_;
  os::PipeHolders search_;
  std::int64_t until_ns_;
  std::int64_t slices_ = 0;
};

}  // namespace netrunner::shard
