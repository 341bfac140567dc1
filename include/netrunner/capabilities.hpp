#pragma once
/// Linux capabilities of a command, see capabilities(7).

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <netrunner/error.hpp>

namespace netrunner {

/// A set of CAP_* numbers. A value.
class CapabilitySet {
 public:
  static constexpr int number_max = 63;  ///< The kernel's sets have 64 bits; Linux 6.18 knows 0 to 40.

  constexpr CapabilitySet() noexcept = default;  ///< None.
  constexpr CapabilitySet(std::initializer_list<int> numbers) noexcept {
    for (const int number : numbers) add(number);
  }
  [[nodiscard]] static constexpr CapabilitySet all() noexcept { return CapabilitySet(~std::uint64_t{0}); }
  /// "net_bind_service,kill", "CAP_CHOWN", "none", "all,-sys_admin": names or numbers, in order; -NAME takes one away.
  [[nodiscard]] static Result<CapabilitySet> parse(std::string_view text);

  /// Numbers outside 0 to `number_max` are nothing.
  constexpr void add(int number) noexcept { bits_ |= bit(number); }
  constexpr void remove(int number) noexcept { bits_ &= ~bit(number); }
  [[nodiscard]] constexpr bool has(int number) const noexcept { return (bits_ & bit(number)) != 0; }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  [[nodiscard]] constexpr std::uint64_t bits() const noexcept { return bits_; }  ///< 1 << CAP_*, as the kernel has it.
  [[nodiscard]] std::string text() const;                                        ///< What parse() reads.
  friend constexpr bool operator==(CapabilitySet, CapabilitySet) noexcept = default;

 private:
  constexpr explicit CapabilitySet(std::uint64_t bits) noexcept : bits_(bits) {}
  [[nodiscard]] static constexpr std::uint64_t bit(int number) noexcept {
    return number >= 0 && number <= number_max ? std::uint64_t{1} << number : 0;
  }
  std::uint64_t bits_ = 0;
};

struct Capabilities {
  /// What the command and all that it executes can ever have: every other one is dropped from the bounding set (Linux
  /// 2.6.25). A command that runs as root has all of these.
  CapabilitySet bounding = CapabilitySet::all();
  /// What it has though it isn't root and its program's file has none (Linux 4.3). Part of `bounding`, and of what the
  /// engine's own process has.
  CapabilitySet ambient{};
  friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

}  // namespace netrunner
