#pragma once
/// The signals that are sent to netrunner, one after the other, in a thread where everything is allowed.

#include <functional>
#include <signal.h>
#include <thread>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// HUP, INT, QUIT, TERM: somebody wants an end.
[[nodiscard]] bool is_termination(int signal) noexcept;
/// TSTP, TTIN, TTOU: the terminal's stop signals.
[[nodiscard]] bool is_terminal_stop(int signal) noexcept;

/// Owner: a subcommand. Construct it before any other thread exists: a thread inherits what is blocked, and a signal
/// must reach nobody but this. HUP, INT, QUIT and the stop signals stay ignored where our parent had them ignored
/// (nohup(1), a background job of a script). As init of a container it also takes away the orphans that fall to us.
class SignalThread {
 public:
  using Handler = std::function<void(int signal)>;

  SignalThread();
  ~SignalThread();
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

  /// `handler` gets what came since construction, and what comes until destruction.
  [[nodiscard]] Checked<void> start(Handler handler);

 private:
  void handle_all(const Handler& handler) const;

  sigset_t taken_{};
  int signals_fd_ = -1;
  int end_fd_ = -1;
  std::jthread thread_;
};

}  // namespace netrunner::tool
