#pragma once
/// A death host as its killer sees it: a process, its orders, and its shepherds.

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include <netrunner/deadline.hpp>

namespace netrunner::tool {

/// Owner of the process: killed and reaped with this object.
class DeathProcess {
 public:
  explicit DeathProcess(const std::vector<std::string>& arguments);
  DeathProcess(const DeathProcess&) = delete;
  DeathProcess& operator=(const DeathProcess&) = delete;
  ~DeathProcess();

  /// False: see the two that follow.
  [[nodiscard]] bool wait_ready();
  [[nodiscard]] const std::string& refused() const noexcept { return refused_; }  ///< By its own word: not here.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }  ///< It has none to say.
  void order(const std::string& line) const;
  [[nodiscard]] bool wait_done() { return next_line() == "done"; }
  /// False: it lives still when the time is over.
  [[nodiscard]] bool wait_dead(Nanoseconds limit);
  void kill(int signal) const;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] const std::vector<pid_t>& working_shepherds() const noexcept { return working_; }
  /// Those, the spares and the replacements, as long as it lives.
  [[nodiscard]] std::vector<pid_t> all_shepherds() const;

 private:
  void start(const std::vector<std::string>& arguments, int in, int out);
  /// Nothing: it has ended, or doesn't answer; failure() says so.
  [[nodiscard]] std::optional<std::string> next_line();
  pid_t pid_ = -1;
  int orders_ = -1, answers_ = -1;
  std::string unread_, refused_, failure_;
  std::vector<pid_t> working_;
};

[[nodiscard]] bool is_shepherd(pid_t pid);
/// Signals it if it is a shepherd.
void signal_shepherd(pid_t pid, int signal);

}  // namespace netrunner::tool
