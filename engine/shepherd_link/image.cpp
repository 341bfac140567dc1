#include "engine/shepherd_link/image.hpp"

extern "C" {
extern const unsigned char netrunner_shepherd_image[];
extern const unsigned char netrunner_shepherd_image_end[];
}

namespace netrunner::shepherd_link {

std::span<const std::byte> shepherd_image() noexcept {
  return std::as_bytes(std::span(netrunner_shepherd_image, netrunner_shepherd_image_end));
}

}  // namespace netrunner::shepherd_link
