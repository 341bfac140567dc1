#pragma once

#include <netrunner/command.hpp>
#include <netrunner/error.hpp>
#include <netrunner/terminal.hpp>

#include "engine/os/pty.hpp"
#include "engine/os/unique_fd.hpp"

namespace netrunner::shard {

/// A command's terminal but for its bytes: which streams name it, its size, its modes.
/// Keeps a slave open until let_go(): as long as the leader lives, somebody may open /dev/tty again after all have
/// closed it (login does), and the kernel's EIO of the moment between is no end. After it EIO is one. vhangup(2), which
/// agetty calls, takes ours too: then another one is opened.
/// Owner: one Streams. Thread: its shard.
class TerminalEnd {
 public:
  /// The new terminal, as the command wants it.
  [[nodiscard]] static Result<os::Pty> open(const Command::Spec& spec);
  TerminalEnd(const Command::Spec& spec, os::UniqueFd slave);

  [[nodiscard]] bool is_named_by(Stream stream) const noexcept {
    if (stream < Stream::in || stream > Stream::err) return false;
    return (names_ & (1U << static_cast<unsigned>(stream))) != 0;
  }
  /// The name that its output has among the streams: the first of stdout, stderr, stdin; and its input: the first of
  /// stdin, stdout, stderr.
  [[nodiscard]] Stream output_name() const noexcept;
  [[nodiscard]] Stream input_name() const noexcept;

  [[nodiscard]] Result<void> resize(const WindowSize& size) const;
  [[nodiscard]] Result<TerminalModes> modes() const;
  [[nodiscard]] Result<TerminalModes> change(const TerminalModes& changes) const;

  /// The master gave EIO. True: ours had been hung up while the leader lives, and a new one is open.
  [[nodiscard]] bool reopen(int master);
  /// The leader is gone, or the terminal was hung up.
  void let_go() noexcept { slave_.reset(); }

 private:
  [[nodiscard]] Result<void> check_open() const;

  unsigned names_ = 0;
  os::UniqueFd slave_;
};

}  // namespace netrunner::shard
