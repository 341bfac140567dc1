#pragma once
/// Where in PATH a program is.

#include <string>

namespace netrunner::tool {

/// The first file of that name in our own PATH that may be executed. Empty: none, or the name has a '/', or PATH has a
/// relative folder (which means another place in another working directory): leave the search to the start.
[[nodiscard]] std::string file_in_path(const std::string& program);

}  // namespace netrunner::tool
