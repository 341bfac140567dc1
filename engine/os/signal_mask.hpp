#pragma once

#include <csignal>

namespace netrunner::os {

/// For a thread of ours: the host's signals go to the host's threads, and a broken pipe is an errno.
void block_all_signals() noexcept;

/// For a thread of the host's that does our work: SIGPIPE is blocked meanwhile, and one that our writes caused is
/// taken away before the mask is as it was. Signals that were pending or blocked before stay so.
class NoBrokenPipeSignal {
 public:
  NoBrokenPipeSignal() noexcept;
  NoBrokenPipeSignal(const NoBrokenPipeSignal&) = delete;
  NoBrokenPipeSignal& operator=(const NoBrokenPipeSignal&) = delete;
  ~NoBrokenPipeSignal();

 private:
  sigset_t before_{};
  bool was_pending_;
};

}  // namespace netrunner::os
