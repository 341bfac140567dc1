#pragma once
/// A person at a terminal, as a test: types, and reads what comes.

#include <string>
#include <string_view>

#include "tests/support/engine_fixture.hpp"

namespace tests {

/// A program on a terminal of its own. Everything that was read stays in `text`.
class Screen {
 public:
  Screen(EngineFixture& host, const nr::Command& command, nr::WindowSize size = {})
      : program_(host.spawn(command.terminal(sized(size)))) {}

  void type(std::string_view keys) { program_.write(keys); }
  /// Reads until `part` was shown since the last call that saw something; false: it ended without.
  [[nodiscard]] bool shows(std::string_view part) {
    for (;;) {
      const std::size_t found = text_.find(part, seen_);
      if (found != std::string::npos) return seen_ = found + part.size(), true;
      const auto chunk = program_.read();
      if (!chunk) return false;
      text_ += chunk->text();
    }
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] Running& program() { return program_; }
  void resize(nr::WindowSize size) {
    value_of(nr::blocking::get(program_.process().resize(size), verb_deadline()));
  }
  [[nodiscard]] nr::TerminalModes modes() {
    return value_of(nr::blocking::get(program_.process().terminal_modes(), verb_deadline()));
  }
  [[nodiscard]] bool is_raw() { return modes().value(nr::TerminalMode::icanon) == 0U; }
  void quit() { program_.process().kill(); }

 private:
  static nr::Terminal sized(nr::WindowSize size) {
    nr::Terminal terminal;
    terminal.size = size;
    return terminal;
  }
  Running program_;
  std::string text_;
  std::size_t seen_ = 0;
};

}  // namespace tests
