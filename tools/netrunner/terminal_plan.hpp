#pragma once
/// `--pty` and what belongs to it: which streams lead to a terminal, and what it is like.

#include <optional>
#include <string>
#include <vector>

#include <netrunner/command.hpp>

#include "tools/netrunner/options.hpp"
#include "tools/netrunner/own_terminal.hpp"

namespace netrunner::tool {

/// Owner: the subcommand. Usable after Options::parse.
class TerminalPlan {
 public:
  void declare(Options& options);
  [[nodiscard]] Checked<void> check() const;

  [[nodiscard]] bool is_wanted() const noexcept { return wanted_; }
  /// Those that are to lead to it.
  [[nodiscard]] const std::vector<Stream>& streams() const noexcept { return streams_; }
  [[nodiscard]] const std::string& record_path() const noexcept { return record_path_; }
  /// A size that was asked for doesn't follow our own terminal's.
  [[nodiscard]] bool follows_own_size() const noexcept { return !size_; }
  /// Of our own terminal, where nothing else was asked for.
  [[nodiscard]] Terminal terminal() const;

 private:
  bool wanted_ = false, raw_ = false, streams_given_ = false;
  std::vector<Stream> streams_ = {Stream::in, Stream::out, Stream::err};
  std::optional<WindowSize> size_;
  std::string record_path_;
};

}  // namespace netrunner::tool
