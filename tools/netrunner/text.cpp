#include "tools/netrunner/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace netrunner::tool {
namespace {

/// How many bytes a sequence that begins with `lead` has, and the smallest code point that needs so many.
struct Utf8Length {
  std::size_t bytes;
  std::uint32_t code_point_min;
};

Utf8Length utf8_length(std::uint8_t lead) noexcept {
  if (lead < 0x80) return {1, 0};
  if (lead >= 0xc2 && lead <= 0xdf) return {2, 0x80};
  if (lead >= 0xe0 && lead <= 0xef) return {3, 0x800};
  if (lead >= 0xf0 && lead <= 0xf4) return {4, 0x10000};
  return {0, 0};
}

bool is_plain(char letter) noexcept {
  const bool alphanumeric = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                            (letter >= '0' && letter <= '9');
  return alphanumeric || std::string_view("_-./,:=@%+").find(letter) != std::string_view::npos;
}

bool is_control(char letter) noexcept { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f; }

std::string octal_escaped(std::string_view word) {
  std::string quoted = "$'";
  for (const char letter : word) {
    if (is_control(letter)) {
      const auto code = static_cast<unsigned char>(letter);
      quoted += {'\\', static_cast<char>('0' + (code >> 6)), static_cast<char>('0' + ((code >> 3) & 7)),
                 static_cast<char>('0' + (code & 7))};
    } else {
      if (letter == '\'' || letter == '\\') quoted += '\\';
      quoted += letter;
    }
  }
  return quoted + "'";
}

}  // namespace

bool is_utf8(std::string_view bytes) noexcept {
  constexpr std::uint32_t surrogate_first = 0xd800, surrogate_last = 0xdfff, code_point_max = 0x10ffff;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto lead = static_cast<std::uint8_t>(bytes[at]);
    const Utf8Length length = utf8_length(lead);
    if (length.bytes == 0 || at + length.bytes > bytes.size()) return false;
    std::uint32_t code_point = length.bytes == 1 ? lead : lead & (0xffU >> (length.bytes + 1));
    for (std::size_t i = 1; i < length.bytes; ++i) {
      const auto next = static_cast<std::uint8_t>(bytes[at + i]);
      if ((next & 0xc0U) != 0x80U) return false;
      code_point = (code_point << 6) | (next & 0x3fU);
    }
    const bool surrogate = code_point >= surrogate_first && code_point <= surrogate_last;
    if (code_point < length.code_point_min || code_point > code_point_max || surrogate) return false;
    at += length.bytes;
  }
  return true;
}

std::size_t unfinished_utf8_bytes(std::string_view bytes) noexcept {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const auto byte = static_cast<std::uint8_t>(bytes[bytes.size() - back]);
    if ((byte & 0xc0U) == 0x80U) continue;  // Inside a character: further back is where it begins.
    return utf8_length(byte).bytes > back ? back : 0;
  }
  return 0;
}

std::string base64_of(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t three = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      three = (three << 8) | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      encoded += at + i <= bytes.size() ? digits[(three >> (18 - 6 * i)) & 63U] : '=';
    }
  }
  return encoded;
}

std::string shell_quoted(std::string_view word, Quoting quoting) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return std::string(word);
  if (quoting == Quoting::one_line && std::ranges::any_of(word, is_control)) return octal_escaped(word);
  std::string quoted = "'";
  for (const char letter : word) {
    if (letter == '\'') {
      quoted += "'\\''";
    } else {
      quoted += letter;
    }
  }
  return quoted + "'";
}

std::string shell_line(const std::vector<std::string>& words, Quoting quoting) {
  std::string line;
  for (const std::string& word : words) {
    if (!line.empty()) line += ' ';
    line += shell_quoted(word, quoting);
  }
  return line;
}

}  // namespace netrunner::tool
