#pragma once

#include <cstddef>
#include <span>

namespace netrunner::shepherd_link {

/// The ELF image of the shepherd, part of this library: an embedder ships no helper file.
[[nodiscard]] std::span<const std::byte> shepherd_image() noexcept;

}  // namespace netrunner::shepherd_link
