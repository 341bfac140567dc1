#pragma once
/// Carries our standard input to a command's terminal.

#include <functional>
#include <thread>

#include <netrunner/process.hpp>

namespace netrunner::tool {

/// Owner: a run, which stops it before the Process goes. What is typed while the command reads nothing waits in the
/// bounded queue, then in our own terminal.
class InputPump {
 public:
  /// `in_background`: reading was refused, since a shell has put us into the background: has us stopped. False: that
  /// can't be, and nothing more will be read.
  InputPump(Process& process, std::function<bool()> in_background);
  ~InputPump() { stop(); }
  InputPump(const InputPump&) = delete;
  InputPump& operator=(const InputPump&) = delete;

  /// Nothing more is read: the rest stays for whoever reads next.
  void stop();

 private:
  void move_all(Process& process);
  [[nodiscard]] bool wait_for_input() const;
  [[nodiscard]] bool may_be_read_again();

  std::function<bool()> in_background_;
  bool refused_in_foreground_ = false;
  int stop_fd_ = -1;
  std::jthread thread_;  // Last: it uses what is above.
};

}  // namespace netrunner::tool
