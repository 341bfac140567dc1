#pragma once
/// Bytes that people or JSON are to read.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace netrunner::tool {

[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;
/// How many bytes at the end begin a character whose rest is missing; 0 where what is missing would not make one.
[[nodiscard]] std::size_t unfinished_utf8_bytes(std::string_view bytes) noexcept;
[[nodiscard]] std::string base64_of(std::string_view bytes);

/// One word of a POSIX shell that means exactly these bytes; on one line ($'...' where they hold control characters).
[[nodiscard]] std::string shell_quoted(std::string_view word);
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

}  // namespace netrunner::tool
