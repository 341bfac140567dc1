#include "tools/netrunner/command_options.hpp"

#include <utility>

#include "tools/netrunner/error_words.hpp"

namespace netrunner::tool {

void CommandOptions::declare(Options& options) {
  options.value("--timeout", into_limit(timeout_));
  options.value("--ladder", into(ladder_));
  options.value("--success-codes", [this](const std::string& text) -> Checked<void> {
    const auto codes = whole_numbers(text, 0, 255);
    if (!codes) return std::unexpected(codes.error());
    changes_.emplace_back([all = std::vector<int>(codes->begin(), codes->end())](const Command& command) {
      return command.success_codes(all);
    });
    return {};
  });
  declare_environment(options);
  declare_limits(options);
  limits_.declare(options);
}

void CommandOptions::declare_environment(Options& options) {
  options.flag("--clear-env", clear_environment_);
  options.value("--env", [this](const std::string& text) -> Checked<void> {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      // The value may be a secret that was put in the wrong place: it isn't repeated.
      return std::unexpected("it has no NAME before a '='; write --env NAME=VALUE.");
    }
    changes_.emplace_back([name = text.substr(0, equals), value = text.substr(equals + 1)](const Command& command) {
      return command.env(name, value);
    });
    return {};
  });
  options.value("--unset-env", [this](const std::string& text) -> Checked<void> {
    if (text.find('=') != std::string::npos) {
      return std::unexpected("a name has no '='; to set one: --env NAME=VALUE.");
    }
    changes_.emplace_back([text](const Command& command) { return command.unset_env(text); });
    return {};
  });
  options.value("--cwd", [this](const std::string& text) -> Checked<void> {
    changes_.emplace_back([text](const Command& command) { return command.cwd(text); });
    return {};
  });
}

void CommandOptions::declare_limits(Options& options) {
  options.value("--user", into(user_));
  options.value("--cap", [this](const std::string& text) -> Checked<void> {
    const Result<CapabilitySet> keep = CapabilitySet::parse(text);
    if (!keep) return std::unexpected(words_of(keep.error()));
    changes_.emplace_back([keep = *keep](const Command& command) { return command.capabilities(keep); });
    return {};
  });
  options.flag("--new-session", new_session_);
  options.flag("--shell-fallback", shell_fallback_);
  options.flag("--no-new-privs", no_new_privs_);
  options.value("--oom-score", [this](const std::string& text) -> Checked<void> {
    const auto value = whole_number(text, -1000, 1000);
    if (!value) return std::unexpected(value.error());
    changes_.emplace_back([score = static_cast<int>(*value)](const Command& command) {
      return command.oom_score_adj(score);
    });
    return {};
  });
  options.value("--nice", [this](const std::string& text) -> Checked<void> {
    const auto value = whole_number(text, -20, 19);
    if (!value) return std::unexpected(value.error());
    changes_.emplace_back([nice = static_cast<int>(*value)](const Command& command) { return command.nice(nice); });
    return {};
  });
  options.value("--umask", [this](const std::string& text) -> Checked<void> {
    const auto value = whole_number(text, 0, 0777, 8);
    if (!value) return std::unexpected(value.error());
    changes_.emplace_back([mask = static_cast<mode_t>(*value)](const Command& command) { return command.umask(mask); });
    return {};
  });
}

Command CommandOptions::change(Command command) const {
  if (clear_environment_) command = command.clear_env();
  for (const Change& change : changes_) command = change(command);
  return command;
}

Checked<Command> CommandOptions::make(std::vector<std::string> words) const {
  Command command = change(Command::from_argv(std::move(words)).ladder(ladder_).deadline(timeout_));
  command = limits_.apply(command);
  if (new_session_) command = command.grouping(Grouping::own_session);
  if (shell_fallback_) command = command.shell_fallback();
  if (no_new_privs_) command = command.no_new_privs();
  if (user_.empty()) return command;
  if (user_.starts_with(':') || user_.ends_with(':')) {
    return std::unexpected("--user: '" + user_ + "' names no user and group; write USER or USER:GROUP.");
  }
  Result<Command> as_user = command.user(user_);
  if (!as_user) return std::unexpected("--user: " + words_of(as_user.error()));
  return std::move(*as_user);
}

}  // namespace netrunner::tool
