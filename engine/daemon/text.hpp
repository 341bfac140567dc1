#pragma once
/// Texts for people, and the number of an instance in texts.

#include <cstdint>
#include <string>
#include <string_view>

#include <netrunner/deadline.hpp>

namespace netrunner::daemon {

/// "1m", "90s", "250ms": what parse_duration reads.
[[nodiscard]] std::string duration_text(Nanoseconds duration);
/// `{i}` becomes the number, wherever it stands.
[[nodiscard]] std::string with_number(std::string_view text, std::uint32_t instance);
[[nodiscard]] bool has_number(std::string_view text) noexcept;

}  // namespace netrunner::daemon
