#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <sys/stat.h>
#include <sys/types.h>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

/// A pseudo-terminal: the master is ours, the slave is the terminal that a command sees. Both lie above 2, are
/// close-on-exec and nobody's controlling terminal. The master alone is O_NONBLOCK: a blocking one would tie up an
/// io-wq thread. See pty(7).
struct Pty {
  UniqueFd master, slave;
};

/// Needs a devpts file system at /dev/pts; the slave is opened without a path (TIOCGPTPEER, Linux 4.13), so that it is
/// the master's own whatever else is mounted there. Errors: limit_reached (kernel.pty.max), not_found (no devpts).
[[nodiscard]] Result<Pty> open_pty();
/// One more slave of a master.
[[nodiscard]] Result<UniqueFd> open_pty_slave(int master);

/// struct winsize of ioctl_tty(2).
struct PtySize {
  std::uint16_t rows = 0, columns = 0, x_pixels = 0, y_pixels = 0;
};
/// The foreground group gets SIGWINCH where it is another than before.
[[nodiscard]] Result<void> resize_pty(int either_end, const PtySize& size);
[[nodiscard]] Result<PtySize> pty_size(int terminal);

/// struct termios2 of the kernel: speeds are numbers. See TCGETS2 in ioctl_tty(2).
struct PtyModes {
  std::uint32_t input = 0, output = 0, control = 0, local = 0;
  std::array<std::uint8_t, 19> characters{};
  std::uint32_t input_speed = 0, output_speed = 0;
};
/// Both ends speak of the slave.
[[nodiscard]] Result<PtyModes> pty_modes(int either_end);
/// TCSANOW. What a pseudo-terminal can't have (7 bits, parity) the kernel leaves as it was.
[[nodiscard]] Result<void> set_pty_modes(int either_end, const PtyModes& modes);

/// Lets another user open the terminal by its name too.
[[nodiscard]] Result<void> give_pty(int slave, uid_t owner);

/// What is typed for an end of input: VEOF where the line is empty, else one VEOF that ends the line and one that ends
/// the input. See termios(3), "Canonical and noncanonical mode".
struct PtyFarewell {
  std::array<std::byte, 2> bytes{};
  std::size_t count = 1;
};
/// `last`: what was written to the master before; none: nothing was.
[[nodiscard]] PtyFarewell pty_farewell(int master, std::optional<std::byte> last) noexcept;

/// Names a terminal wherever it is open by its name, and no pipe: `slave` is what stat(2) says of it.
[[nodiscard]] std::uint64_t pty_key(const struct stat& slave) noexcept;
[[nodiscard]] std::uint64_t pty_key(int slave) noexcept;  ///< 0: it can't be told.

/// A read of the master would find bytes: also those that the kernel has not moved to its side yet, which FIONREAD
/// doesn't count and poll(2) waits for.
[[nodiscard]] bool pty_has_output(int master) noexcept;
/// More than so many bytes a terminal never holds: a line discipline's buffer, and what waits to go there.
inline constexpr std::uint32_t pty_held_bytes_max = 64 * 1024;

}  // namespace netrunner::os
