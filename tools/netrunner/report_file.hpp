#pragma once
/// Where a report goes: a file that is whole at every moment, or standard output.

#include <string>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Before anything is started: whether a report can be written there. `option` asked for it.
[[nodiscard]] Checked<void> can_write_report(const std::string& path, const char* option = "--report");
/// "-" is standard output. A file is replaced in one step; what is no regular file (a device, a fifo) is written to.
[[nodiscard]] Checked<void> write_report(const std::string& path, const std::string& text,
                                         const char* option = "--report",
                                         const char* loss = "the command has run, what was to be there is lost.");

}  // namespace netrunner::tool
