#include "engine/os/pty.hpp"

#include <asm/termbits.h>  // struct termios2, which <termios.h> excludes.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "engine/os/descriptor.hpp"

namespace netrunner::os {
namespace {

static_assert(NCCS == 19);

std::unexpected<Error> failed(const char* call) { return std::unexpected(system_error(call, Stage::terminal)); }

/// Number in a file of /proc/sys/kernel/pty, as text.
std::string kernel_figure(const char* path) {
  char text[32] = {};
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  const ssize_t bytes = file ? ::read(file.get(), text, sizeof text - 1) : 0;
  std::string figure(text, static_cast<std::size_t>(std::max<ssize_t>(bytes, 0)));
  while (!figure.empty() && figure.back() == '\n') figure.pop_back();
  return figure.empty() ? "?" : figure;
}

Error no_terminal(int sys_errno) {
  Error error = system_error("/dev/ptmx", Stage::terminal, sys_errno);
  if (sys_errno == ENOSPC) {
    error.code = ErrorCode::limit_reached;
    error.subject = "a pseudo-terminal";
    error.advice = "none is left: kernel.pty.max = " + kernel_figure("/proc/sys/kernel/pty/max") + ", in use " +
                   kernel_figure("/proc/sys/kernel/pty/nr") + " (or the max= option of the devpts mount)";
  } else if (sys_errno == ENOENT || sys_errno == ENODEV || sys_errno == ENXIO) {
    error.code = ErrorCode::not_found;
    error.advice = "devpts is not mounted at /dev/pts, or /dev/ptmx does not lead to it "
                   "(mount -t devpts devpts /dev/pts)";
  }
  return error;
}

// In a container /dev/ptmx may be missing, or that of another instance which may not be used.
UniqueFd open_master() {
  constexpr int flags = O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  UniqueFd master(::open("/dev/ptmx", flags));
  if (master || (errno != ENOENT && errno != EACCES)) return master;
  const int first = errno;
  master = UniqueFd(::open("/dev/pts/ptmx", flags));
  if (!master) errno = first;
  return master;
}

struct Speed {
  std::uint32_t bits_per_second;
  tcflag_t flag;
};
constexpr Speed named_speeds[] = {
    {50, B50},           {75, B75},           {110, B110},         {134, B134},         {150, B150},
    {200, B200},         {300, B300},         {600, B600},         {1200, B1200},       {1800, B1800},
    {2400, B2400},       {4800, B4800},       {9600, B9600},       {19200, B19200},     {38400, B38400},
    {57600, B57600},     {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
    {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
    {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000},
};

// Speeds with a name by their name: older programs know no others.
tcflag_t speed_flag(std::uint32_t bits_per_second) {
  for (const Speed& speed : named_speeds) {
    if (speed.bits_per_second == bits_per_second) return speed.flag;
  }
  return BOTHER;
}

}  // namespace

Result<Pty> open_pty() {
  UniqueFd opened = open_master();
  if (!opened) return std::unexpected(no_terminal(errno));
  const int unlocked = 0;
  if (::ioctl(opened.get(), TIOCSPTLCK, &unlocked) != 0) return failed("TIOCSPTLCK");
  NR_TRY(master, moved_above_stdio(std::move(opened)));
  NR_TRY(slave, open_pty_slave(master.get()));
  return Pty{std::move(master), std::move(slave)};
}

Result<UniqueFd> open_pty_slave(int master) {
  UniqueFd slave(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return failed("TIOCGPTPEER");
  return moved_above_stdio(std::move(slave));
}

Result<void> resize_pty(int either_end, const PtySize& size) {
  const winsize wanted{size.rows, size.columns, size.x_pixels, size.y_pixels};
  if (::ioctl(either_end, TIOCSWINSZ, &wanted) != 0) return failed("TIOCSWINSZ");
  return {};
}

Result<PtySize> pty_size(int terminal) {
  winsize size{};
  if (::ioctl(terminal, TIOCGWINSZ, &size) != 0) return failed("TIOCGWINSZ");
  return PtySize{size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel};
}

Result<PtyModes> pty_modes(int either_end) {
  termios2 kernel{};
  if (::ioctl(either_end, TCGETS2, &kernel) != 0) return failed("TCGETS2");
  PtyModes modes{kernel.c_iflag, kernel.c_oflag, kernel.c_cflag, kernel.c_lflag, {}, kernel.c_ispeed, kernel.c_ospeed};
  std::copy_n(kernel.c_cc, modes.characters.size(), modes.characters.begin());
  return modes;
}

Result<void> set_pty_modes(int either_end, const PtyModes& modes) {
  termios2 kernel{};
  if (::ioctl(either_end, TCGETS2, &kernel) != 0) return failed("TCGETS2");
  kernel.c_iflag = modes.input;
  kernel.c_oflag = modes.output;
  kernel.c_lflag = modes.local;
  kernel.c_cflag = modes.control;
  if (kernel.c_ispeed != modes.input_speed || kernel.c_ospeed != modes.output_speed) {
    kernel.c_cflag &= ~static_cast<tcflag_t>(CBAUD | CBAUD << IBSHIFT);
    kernel.c_cflag |= speed_flag(modes.output_speed) | speed_flag(modes.input_speed) << IBSHIFT;
  }
  std::copy_n(modes.characters.begin(), modes.characters.size(), kernel.c_cc);
  kernel.c_ispeed = modes.input_speed;
  kernel.c_ospeed = modes.output_speed;
  if (::ioctl(either_end, TCSETS2, &kernel) != 0) return failed("TCSETS2");
  return {};
}

Result<void> give_pty(int slave, uid_t owner) {
  if (::fchown(slave, owner, static_cast<gid_t>(-1)) != 0) return failed("fchown of the terminal");
  return {};
}

PtyFarewell pty_farewell(int master, std::optional<std::byte> last) noexcept {
  constexpr std::byte control_d{4};
  termios2 modes{};
  const bool known = ::ioctl(master, TCGETS2, &modes) == 0 && modes.c_cc[VEOF] != 0;
  const std::byte end = known ? std::byte{modes.c_cc[VEOF]} : control_d;
  const bool line_begun = last && *last != std::byte{'\n'} && *last != std::byte{'\r'} && *last != end;
  const bool canonical = known && (modes.c_lflag & ICANON) != 0;
  return {{end, end}, line_begun && canonical ? 2U : 1U};
}

std::uint64_t pty_key(const struct stat& slave) noexcept {
  constexpr std::uint64_t no_pipe = std::uint64_t{1} << 63;  // An inode of pipefs never comes so far.
  return no_pipe | slave.st_dev << 32 | slave.st_ino;
}

std::uint64_t pty_key(int slave) noexcept {
  struct stat status{};
  return ::fstat(slave, &status) == 0 ? pty_key(status) : 0;
}

bool pty_has_output(int master) noexcept {
  pollfd polled{master, POLLIN, 0};
  return ::poll(&polled, 1, 0) > 0 && (polled.revents & POLLIN) != 0;
}

}  // namespace netrunner::os
