#pragma once
/// Where the build put its programs.

#include <string>
#include <string_view>

namespace tests {

[[nodiscard]] std::string child_path(std::string_view name);  ///< Of tests/children.
[[nodiscard]] std::string host_path(std::string_view name);   ///< Of tests/hosts.
[[nodiscard]] const char* command_path() noexcept;            ///< The command `netrunner`.
[[nodiscard]] const char* shepherd_path() noexcept;

}  // namespace tests
