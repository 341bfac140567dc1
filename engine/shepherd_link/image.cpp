#include "engine/shepherd_link/image.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include "engine/os/memfd.hpp"

extern "C" {
extern const unsigned char netrunner_shepherd_image[];
extern const unsigned char netrunner_shepherd_image_end[];
}

namespace netrunner::shepherd_link {

Result<int> Image::program() {
  const std::lock_guard guard(mutex_);
  if (!memfd_) {
    const auto bytes = std::as_bytes(std::span(netrunner_shepherd_image, netrunner_shepherd_image_end));
    NR_TRY(made, os::sealed_memfd("netrunner-shepherd", bytes, os::MemfdUse::program));
    memfd_ = std::move(made);
  }
  return memfd_.get();
}

void Image::close() {
  const std::lock_guard guard(mutex_);
  memfd_.reset();
}

}  // namespace netrunner::shepherd_link
