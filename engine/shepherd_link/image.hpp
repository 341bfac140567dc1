#pragma once

#include <mutex>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::shepherd_link {

/// The ELF image of the shepherd, part of this library: an embedder ships no helper file. One sealed memfd for all
/// shepherds of an engine: they share its pages, and one that replaces another needs neither memory nor a descriptor
/// for it. Any thread.
class Image {
 public:
  /// Lent, until close(). Made by the first who asks, in a third of a millisecond; after a failure by the next.
  [[nodiscard]] Result<int> program();
  void close();

 private:
  std::mutex mutex_;
  os::UniqueFd memfd_;
};

}  // namespace netrunner::shepherd_link
