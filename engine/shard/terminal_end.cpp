#include "engine/shard/terminal_end.hpp"

#include <string>
#include <utility>

#include "engine/os/pipe.hpp"
#include "engine/shard/terminal_modes.hpp"

namespace netrunner::shard {
namespace {

constexpr Stream standard[] = {Stream::in, Stream::out, Stream::err};

os::PtySize kernel_size(const WindowSize& size) { return {size.rows, size.columns, size.x_pixels, size.y_pixels}; }

Result<void> set_modes(int end, const TerminalModes& changes) {
  if (changes.settings().empty()) return {};
  NR_TRY(kernel, os::pty_modes(end));
  apply(changes, kernel);
  return os::set_pty_modes(end, kernel);
}

Error invalid(std::string subject, std::string advice) {
  return {ErrorCode::invalid_argument, Stage::none, EINVAL, std::move(subject), std::move(advice)};
}

}  // namespace

Result<os::Pty> TerminalEnd::open(const Command::Spec& spec) {
  NR_TRY(pty, os::open_pty());
  NR_TRY_VOID(os::resize_pty(pty.slave.get(), kernel_size(spec.terminal.size)));
  NR_TRY_VOID(set_modes(pty.slave.get(), spec.terminal.modes));
  if (spec.identity.uid) NR_TRY_VOID(os::give_pty(pty.slave.get(), *spec.identity.uid));
  return std::move(pty);
}

TerminalEnd::TerminalEnd(const Command::Spec& spec, os::UniqueFd slave) : slave_(std::move(slave)) {
  for (const Stream stream : standard) {
    if (spec.on_terminal(stream)) names_ |= 1U << static_cast<unsigned>(stream);
  }
}

Stream TerminalEnd::output_name() const noexcept {
  if (is_named_by(Stream::out)) return Stream::out;
  return is_named_by(Stream::err) ? Stream::err : Stream::in;
}

Stream TerminalEnd::input_name() const noexcept {
  if (is_named_by(Stream::in)) return Stream::in;
  return is_named_by(Stream::out) ? Stream::out : Stream::err;
}

Result<void> TerminalEnd::check_open() const {
  if (slave_) return {};
  return std::unexpected(Error{ErrorCode::already_exited, Stage::none, 0, "the command's terminal",
                               "the command has exited, or its terminal was hung up"});
}

bool TerminalEnd::reopen(int master) {
  if (!slave_ || !os::writers_are_gone(slave_.get())) return false;
  auto another = os::open_pty_slave(master);
  if (!another) return false;
  slave_ = *std::move(another);
  return true;
}

Result<void> TerminalEnd::resize(const WindowSize& size) const {
  if (size.rows == 0 || size.columns == 0) {
    return std::unexpected(invalid("terminal size", "at least one row and one column: programs divide by them"));
  }
  NR_TRY_VOID(check_open());
  return os::resize_pty(slave_.get(), kernel_size(size));
}

Result<TerminalModes> TerminalEnd::modes() const {
  NR_TRY_VOID(check_open());
  NR_TRY(kernel, os::pty_modes(slave_.get()));
  return modes_of(kernel);
}

Result<TerminalModes> TerminalEnd::change(const TerminalModes& changes) const {
  for (const auto& [mode, value] : changes.settings()) {
    if (is_known(mode)) continue;
    return std::unexpected(invalid("terminal mode " + std::to_string(static_cast<int>(mode)),
                                   "no mode of RFC 4254 that Linux has"));
  }
  NR_TRY_VOID(check_open());
  NR_TRY_VOID(set_modes(slave_.get(), changes));
  return modes();
}

}  // namespace netrunner::shard
