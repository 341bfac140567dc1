#pragma once
/// The terminal that netrunner itself was started from.

#include <mutex>
#include <optional>
#include <termios.h>

#include <netrunner/command.hpp>
#include <netrunner/terminal.hpp>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: a run with a terminal for its command. Any thread. Its modes are as they were found whenever `raw` isn't in
/// force; the destructor sees to it, and TerminalGuard where no destructor runs.
class OwnTerminal {
 public:
  OwnTerminal();
  ~OwnTerminal() { restore(); }
  OwnTerminal(const OwnTerminal&) = delete;
  OwnTerminal& operator=(const OwnTerminal&) = delete;

  /// Standard input is a terminal: what is typed there is for the command.
  [[nodiscard]] bool is_typed_at() const noexcept { return found_.has_value(); }
  /// As they were found.
  [[nodiscard]] const std::optional<termios>& modes() const noexcept { return found_; }
  /// Of standard input, output or error, the first that is a terminal with a size.
  [[nodiscard]] static std::optional<WindowSize> size();

  /// We may read it and change it: no shell keeps us in the background. (A terminal that isn't our controlling one
  /// knows no background.)
  [[nodiscard]] static bool is_ours() noexcept;
  /// Somebody is left who could bring us into the foreground: a parent of our session in another group. Else ours is an
  /// orphaned process group, see setpgid(2).
  [[nodiscard]] static bool can_be_continued() noexcept;
  /// Stops this process, as the terminal's driver would, until it is in the foreground. False: it never will be.
  [[nodiscard]] static bool await_foreground();

  /// Every key a byte, none a signal; nothing where nobody types or we are in the background.
  void make_raw();
  void restore();

 private:
  std::mutex mutex_;
  std::optional<termios> found_;
  bool raw_ = false;
};

/// The stdin of a command of which nothing was said: ours; not a terminal in whose background we are, whose driver
/// can't hold back the command, as that is in another session: it would take what is typed for the foreground.
[[nodiscard]] Stdio own_input();

}  // namespace netrunner::tool
