#pragma once
/// What the program itself says, apart from what its commands write.

#include <cstddef>
#include <span>
#include <string_view>

namespace netrunner::tool {

/// All of it, whatever short writes, EINTR or a non-blocking descriptor do. 0, or the errno that ended it.
[[nodiscard]] int write_all(int fd, std::span<const std::byte> bytes) noexcept;
[[nodiscard]] int write_all(int fd, std::string_view text) noexcept;

/// To standard output or standard error; nobody is left to be told where that fails.
void print(std::string_view text) noexcept;
void print_error(std::string_view text) noexcept;

}  // namespace netrunner::tool
