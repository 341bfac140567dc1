#pragma once
/// A command's terminal, connected to our own.

#include <optional>

#include <netrunner/process.hpp>

#include "tools/netrunner/cast_file.hpp"
#include "tools/netrunner/input_pump.hpp"
#include "tools/netrunner/own_terminal.hpp"
#include "tools/netrunner/terminal_guard.hpp"
#include "tools/netrunner/terminal_plan.hpp"

namespace netrunner::tool {

/// Owner: a run. What is typed goes to the command byte by byte: ^C reaches its foreground group, ^Z too, as a byte
/// that its terminal makes a signal of; netrunner itself is stopped by `kill -TSTP`. Made before any thread.
class TerminalSession {
 public:
  explicit TerminalSession(const TerminalPlan& plan);
  TerminalSession(const TerminalSession&) = delete;
  TerminalSession& operator=(const TerminalSession&) = delete;

  /// As the command is to have it.
  [[nodiscard]] const Terminal& terminal() const noexcept { return terminal_; }
  [[nodiscard]] Checked<void> begin_record(const std::vector<std::string>& argv);
  /// Null: none was asked for.
  [[nodiscard]] CastFile* record() noexcept { return plan_.record_path().empty() ? nullptr : &record_; }

  /// The command runs. `types`: its stdin is the terminal.
  void connect(Process& process, bool types);
  /// It has ended: our terminal is as it was.
  void disconnect();

  // Of the thread that handles signals, between connect and disconnect.
  void window_changed();
  void before_stop() { own_.restore(); }
  void after_continue();

 private:
  [[nodiscard]] static bool stop_in_background();

  const TerminalPlan& plan_;
  std::optional<TerminalGuard> guard_;  // Goes after the terminal has its modes back.
  OwnTerminal own_;
  Terminal terminal_;
  CastFile record_;
  Process* process_ = nullptr;
  std::optional<InputPump> input_;
};

}  // namespace netrunner::tool
