#pragma once
/// The modes of RFC 4254 as the kernel's words and bits, and back: pure functions.

#include <netrunner/terminal.hpp>

#include "engine/os/pty.hpp"

namespace netrunner::shard {

/// Linux has it, and the interface names it.
[[nodiscard]] bool is_known(TerminalMode mode) noexcept;
/// Changes what is named, leaves the rest; what isn't known is passed over.
void apply(const TerminalModes& changes, os::PtyModes& kernel) noexcept;
/// All that are known.
[[nodiscard]] TerminalModes modes_of(const os::PtyModes& kernel);

}  // namespace netrunner::shard
