#pragma once
/// Bytes whose value follows from their place, so that a byte lost, doubled or out of order is seen.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tests {

[[nodiscard]] constexpr char pattern_at(std::uint64_t offset) {
  return static_cast<char>((offset * 0x9E3779B97F4A7C15ull) >> 56);
}

[[nodiscard]] inline std::string pattern(std::size_t size, std::uint64_t offset = 0) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = pattern_at(offset + i);
  return bytes;
}

/// Reads pieces in order.
class PatternCheck {
 public:
  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      if (byte != pattern_at(bytes_++) && !wrong_) wrong_ = true;
    }
  }
  [[nodiscard]] bool right() const { return !wrong_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
  bool wrong_ = false;
};

}  // namespace tests
