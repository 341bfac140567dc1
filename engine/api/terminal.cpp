#include <netrunner/terminal.hpp>

#include "engine/os/pty.hpp"
#include "engine/shard/terminal_modes.hpp"

namespace netrunner {

Result<WindowSize> window_size_of(int descriptor) {
  NR_TRY(size, os::pty_size(descriptor));
  return WindowSize{size.rows, size.columns, size.x_pixels, size.y_pixels};
}

Result<TerminalModes> terminal_modes_of(int descriptor) {
  NR_TRY(kernel, os::pty_modes(descriptor));
  return shard::modes_of(kernel);
}

}  // namespace netrunner
