#pragma once
/// Sizes with units, and the limits that a command gets before exec.

#include <cstdint>
#include <string>
#include <string_view>

#include <netrunner/error.hpp>

namespace netrunner {

inline constexpr std::uint64_t KiB = 1024;
inline constexpr std::uint64_t MiB = 1024 * KiB;
inline constexpr std::uint64_t GiB = 1024 * MiB;

inline namespace literals {
[[nodiscard]] constexpr std::uint64_t operator""_KiB(unsigned long long n) noexcept { return n * KiB; }
[[nodiscard]] constexpr std::uint64_t operator""_MiB(unsigned long long n) noexcept { return n * MiB; }
[[nodiscard]] constexpr std::uint64_t operator""_GiB(unsigned long long n) noexcept { return n * GiB; }
}  // namespace literals

/// "512M", "64KiB", "1.5G", "4096": bytes, powers of 1024. Rejects nonsense with the value shown.
[[nodiscard]] Result<std::uint64_t> parse_bytes(std::string_view text);

/// setrlimit(2): one resource (RLIMIT_*), soft and hard. Set in the child before exec.
struct ResourceLimit {
  static constexpr std::uint64_t unlimited = UINT64_MAX;
  int resource = 0;
  std::uint64_t soft = unlimited;
  std::uint64_t hard = unlimited;
  friend bool operator==(const ResourceLimit&, const ResourceLimit&) = default;
};

/// "nofile=256" or "nofile=256:1024"; names as ulimit and prlimit(1) have them.
[[nodiscard]] Result<ResourceLimit> parse_resource_limit(std::string_view text);
[[nodiscard]] std::string_view resource_name(int resource) noexcept;

}  // namespace netrunner
