#include "tools/netrunner/terminal_session.hpp"

#include <chrono>
#include <csignal>
#include <unistd.h>

#include <netrunner/blocking.hpp>

namespace netrunner::tool {
namespace {

constexpr auto answer_max = std::chrono::seconds(1);

}  // namespace

TerminalSession::TerminalSession(const TerminalPlan& plan) : plan_(plan) {
  if (own_.is_typed_at()) guard_.emplace(*own_.modes());
  if (own_.is_typed_at()) [[maybe_unused]] const bool ours = OwnTerminal::await_foreground();
  terminal_ = plan.terminal();
}

Checked<void> TerminalSession::begin_record(const std::vector<std::string>& argv) {
  if (plan_.record_path().empty()) return {};
  return record_.open(plan_.record_path(), terminal_.size, argv);
}

void TerminalSession::connect(Process& process, bool types) {
  process_ = &process;
  if (!types) return;
  own_.make_raw();
  input_.emplace(process, stop_in_background);
  window_changed();  // It may have changed since the command was described.
}

void TerminalSession::disconnect() {
  input_.reset();
  own_.restore();
}

/// As the terminal's driver would stop a reader; the thread that handles signals then stops the command too.
bool TerminalSession::stop_in_background() {
  if (!OwnTerminal::can_be_continued()) return false;
  (void)::kill(::getpid(), SIGTTIN);
  return true;
}

void TerminalSession::window_changed() {
  if (!plan_.follows_own_size()) return;
  const std::optional<WindowSize> size = OwnTerminal::size();
  if (!size || *size == terminal_.size) return;
  // A command that has just ended has no window.
  if (!blocking::get(process_->resize(*size), Deadline::after(answer_max))) return;
  terminal_.size = *size;
  record_.resize(*size);
}

void TerminalSession::after_continue() {
  own_.make_raw();
  window_changed();
}

}  // namespace netrunner::tool
