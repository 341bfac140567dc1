#pragma once
/// The terminal that a command's streams can lead to: a pseudo-terminal, whose other side is the host. See pty(7).

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <netrunner/error.hpp>

namespace netrunner {

/// In characters and in pixels; see TIOCSWINSZ in ioctl_tty(2). Rows and columns are at least 1: programs divide by
/// them. Pixels may be 0: unknown.
struct WindowSize {
  std::uint16_t rows = 24, columns = 80;
  std::uint16_t x_pixels = 0, y_pixels = 0;
  friend bool operator==(const WindowSize&, const WindowSize&) = default;
};

/// The modes of a terminal by their names in termios(3) and their numbers in RFC 4254, section 8 (iutf8: RFC 8160),
/// so that an SSH server can hand on what it was sent. Those that Linux has; unknown numbers are refused by name.
/// v...: a character, 0 disables it. Others: 0 off, else on. Speeds: bits per second, which only programs that ask
/// ever see. A pseudo-terminal always has cs8 and never parenb, see termios(3).
enum class TerminalMode : std::uint8_t {
  vintr = 1, vquit = 2, verase = 3, vkill = 4, veof = 5, veol = 6, veol2 = 7, vstart = 8, vstop = 9, vsusp = 10,
  vreprint = 12, vwerase = 13, vlnext = 14, vswtch = 16, vdiscard = 18,
  ignpar = 30, parmrk = 31, inpck = 32, istrip = 33, inlcr = 34, igncr = 35, icrnl = 36, iuclc = 37, ixon = 38,
  ixany = 39, ixoff = 40, imaxbel = 41, iutf8 = 42,
  isig = 50, icanon = 51, xcase = 52, echo = 53, echoe = 54, echok = 55, echonl = 56, noflsh = 57, tostop = 58,
  iexten = 59, echoctl = 60, echoke = 61, pendin = 62,
  opost = 70, olcuc = 71, onlcr = 72, ocrnl = 73, onocr = 74, onlret = 75,
  cs7 = 90, cs8 = 91, parenb = 92, parodd = 93,
  ispeed = 128, ospeed = 129,
};

/// Modes and their values: a whole set where a terminal was asked for its own, or just those that are to be changed.
/// The rest is then left as it is; a new terminal has the kernel's: canonical, with echo and signals. A value.
class TerminalModes {
 public:
  struct Setting {
    TerminalMode mode = TerminalMode::echo;
    std::uint32_t value = 0;
    friend bool operator==(const Setting&, const Setting&) = default;
  };

  /// Bytes as they come, both ways: no line editing, no echo, no signals, no conversion of line ends. cfmakeraw(3).
  [[nodiscard]] static TerminalModes raw() {
    TerminalModes modes;
    for (const TerminalMode off :
         {TerminalMode::parmrk, TerminalMode::istrip, TerminalMode::inlcr, TerminalMode::igncr, TerminalMode::icrnl,
          TerminalMode::ixon, TerminalMode::opost, TerminalMode::echo, TerminalMode::echonl, TerminalMode::icanon,
          TerminalMode::isig, TerminalMode::iexten}) {
      modes = std::move(modes).set(off, 0);
    }
    return modes;
  }

  /// The last word on a mode counts.
  [[nodiscard]] TerminalModes set(TerminalMode mode, std::uint32_t value) && {
    const auto found = std::ranges::find(settings_, mode, &Setting::mode);
    if (found == settings_.end()) settings_.push_back({mode, value});
    else found->value = value;
    return std::move(*this);
  }
  [[nodiscard]] TerminalModes set(TerminalMode mode, std::uint32_t value) const& {
    return TerminalModes(*this).set(mode, value);
  }
  /// What is typed comes back as output.
  [[nodiscard]] TerminalModes echo(bool on) const { return set(TerminalMode::echo, on ? 1 : 0); }
  /// Input comes in lines that can be edited while they are typed; a line has 4,095 bytes at most, the kernel drops
  /// what goes beyond (termios(3), "Canonical and noncanonical mode").
  [[nodiscard]] TerminalModes canonical(bool on) const { return set(TerminalMode::icanon, on ? 1 : 0); }
  /// ^C, ^\ and ^Z raise SIGINT, SIGQUIT and SIGTSTP in the foreground group.
  [[nodiscard]] TerminalModes signals(bool on) const { return set(TerminalMode::isig, on ? 1 : 0); }
  /// Bits per second, both ways.
  [[nodiscard]] TerminalModes speed(std::uint32_t bits_per_second) const {
    return set(TerminalMode::ispeed, bits_per_second).set(TerminalMode::ospeed, bits_per_second);
  }

  [[nodiscard]] std::optional<std::uint32_t> value(TerminalMode mode) const {
    const auto found = std::ranges::find(settings_, mode, &Setting::mode);
    return found == settings_.end() ? std::nullopt : std::optional(found->value);
  }
  [[nodiscard]] const std::vector<Setting>& settings() const noexcept { return settings_; }
  friend bool operator==(const TerminalModes&, const TerminalModes&) = default;

 private:
  std::vector<Setting> settings_;
};

/// What a terminal of this process is like, to hand it on: `descriptor` is borrowed. Errors: a descriptor that is no
/// terminal (ENOTTY). A size without rows or columns is given as it is: a line without a screen has none.
[[nodiscard]] Result<WindowSize> window_size_of(int descriptor);
[[nodiscard]] Result<TerminalModes> terminal_modes_of(int descriptor);

/// A terminal as it is before the command's first instruction.
struct Terminal {
  WindowSize size{};
  TerminalModes modes{};  ///< Changes to what the kernel gives a new terminal.
  /// The command gets a session of its own (Grouping::own_session), whose controlling terminal this is, and its group
  /// is the foreground group: ^C, job control and /dev/tty work. False: only a descriptor that is a terminal.
  bool controlling = true;
  friend bool operator==(const Terminal&, const Terminal&) = default;
};

}  // namespace netrunner
