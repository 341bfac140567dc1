#pragma once
/// The options that say how a command is to be run, kept until its words are known.

#include <functional>
#include <string>
#include <vector>

#include <netrunner/command.hpp>

#include "tools/netrunner/limit_options.hpp"
#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: a subcommand. Usable after Options::parse.
class CommandOptions {
 public:
  void declare(Options& options);
  /// --env, --unset-env, --clear-env and --cwd alone.
  void declare_environment(Options& options);
  /// The command of these words, as the options want it. Must have at least one word.
  [[nodiscard]] Checked<Command> make(std::vector<std::string> words) const;
  [[nodiscard]] const KillLadder& ladder() const noexcept { return ladder_; }

  /// What was declared and given one by one, without limits and user.
  [[nodiscard]] Command change(Command command) const;
  /// change() would leave a command as it is.
  [[nodiscard]] bool changes_nothing() const noexcept { return changes_.empty() && !clear_environment_; }

 private:
  using Change = std::function<Command(const Command&)>;

  void declare_limits(Options& options);

  std::vector<Change> changes_;
  LimitOptions limits_;
  std::string user_;
  KillLadder ladder_;
  Nanoseconds timeout_ = Nanoseconds::max();
  bool clear_environment_ = false;
  bool new_session_ = false, shell_fallback_ = false, no_new_privs_ = false;
};

}  // namespace netrunner::tool
