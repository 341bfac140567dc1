#pragma once
/// Bytes that people or JSON are to read.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace netrunner::tool {

[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;
/// How many bytes at the end begin a character whose rest is missing; 0 where what is missing would not make one.
[[nodiscard]] std::size_t unfinished_utf8_bytes(std::string_view bytes) noexcept;
[[nodiscard]] std::string base64_of(std::string_view bytes);

/// one_line: where there are control characters $'...', which sh(1) need not know. posix: any shell reads it.
enum class Quoting : std::uint8_t { one_line, posix };
/// One word of a shell that means exactly these bytes.
[[nodiscard]] std::string shell_quoted(std::string_view word, Quoting quoting = Quoting::one_line);
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words, Quoting quoting = Quoting::one_line);

}  // namespace netrunner::tool
