#pragma once
/// What the program itself says, apart from what its commands write.

#include <cstddef>
#include <span>
#include <string_view>

namespace netrunner::tool {

/// All of it, whatever short writes, EINTR or a non-blocking descriptor do. 0, or the errno that ended it.
[[nodiscard]] int write_all(int fd, std::span<const std::byte> bytes) noexcept;
[[nodiscard]] int write_all(int fd, std::string_view text) noexcept;

/// To standard error; nobody is left to be told where that fails.
void print_error(std::string_view text) noexcept;
/// To standard output: what this run was for. False: it can't be written, which is said on standard error in the name
/// of `who`. A reader that left doesn't want it: that is no failure.
[[nodiscard]] bool print(std::string_view who, std::string_view text);

}  // namespace netrunner::tool
